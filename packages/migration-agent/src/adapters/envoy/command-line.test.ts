import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sumOfConnections } from './admin.js';
import { readEnvoyCommand } from './command-line.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sidestep-envoy-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the command line of Envoy', () => {
  test('is kept as it is given', () => {
    const args = ['-c', '/etc/envoy.yaml', '--concurrency', '2', '--drain-time-s', '7', '-l', 'warning'];
    expect(readEnvoyCommand(['envoy', ...args])).toEqual({
      program: 'envoy',
      args,
      inlineConfig: undefined,
      udp: false,
      saysDrainTime: true,
    });
  });

  test('an inline configuration is taken out of it', () => {
    expect(readEnvoyCommand(['envoy', '--config-yaml', '{a: 1}', '-l', 'off'])).toMatchObject({
      args: ['-l', 'off'],
      inlineConfig: '{a: 1}',
    });
  });

  test.each([
    [['--base-id', '1']],
    [['--restart-epoch=1']],
    [['--disable-hot-restart']],
    [['--socket-path', '@x']],
    [['--mode', 'validate']],
    [['-c', 'a.yaml', '--config-yaml', '{}']],
  ])('%j is refused', (args) => {
    expect(() => readEnvoyCommand(['envoy', ...args])).toThrow(TypeError);
  });

  test.each([
    ['address: {socket_address: {protocol: UDP, address: 0.0.0.0}}', true],
    ['{"socket_address": {"protocol": "UDP"}}', true],
    ['protocol: TCP # not UDP', false],
    ['stat_prefix: my_UDP', false],
  ])('%j has a UDP listener: %j', (text, udp) => {
    const path = join(directory, 'envoy.yaml');
    writeFileSync(path, text);
    expect(readEnvoyCommand(['envoy', '-c', path]).udp).toBe(udp);
    expect(readEnvoyCommand(['envoy', '--config-yaml', text]).udp).toBe(udp);
  });

  test('a file that is not there is left to Envoy', () => {
    expect(readEnvoyCommand(['envoy', '-c', join(directory, 'none.yaml')]).udp).toBe(false);
  });
});

test("connections are counted once, and without the agent's own", () => {
  const text = [
    'listener.0.0.0.0_80.downstream_cx_active: 3',
    'listener.0.0.0.0_80.downstream_pre_cx_active: 1',
    'listener.0.0.0.0_80.worker_0.downstream_cx_active: 2',
    'listener.0.0.0.0_80.worker_1.downstream_cx_active: 1',
    'listener.admin.downstream_cx_active: 1',
    'listener.admin.main_thread.downstream_cx_active: 1',
    '',
  ].join('\n');
  expect(sumOfConnections(text)).toBe(4);
  expect(sumOfConnections('')).toBe(0);
});
