import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readConfig } from '../config.js';
import { settingsFrom } from '../takeover/settings.js';
import { Agent } from './agent.js';
import { Endpoint } from './endpoint.js';
import { NO_WORKLOAD } from './workload.js';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'sidestep-agent-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('whoever asks for the listeners finds somebody also at the moment in which a process takes the name again', () => {
  const agent = new Agent(
    settingsFrom({ version: 'v1', directory: parent, log: false }, readConfig({}), {}),
    NO_WORKLOAD,
  );
  const { takeoverPath } = agent.directory;
  const close = Endpoint.prototype.close;
  const found: boolean[] = [];
  Endpoint.prototype.close = function (this: Endpoint) {
    close.call(this);
    found.push(existsSync(takeoverPath));
  };
  try {
    agent.answer('owner');
    agent.answer('owner');
    expect(found).toEqual([true]);
  } finally {
    Endpoint.prototype.close = close;
    agent.withdraw();
  }
  expect(existsSync(takeoverPath)).toBe(false);
});
