import type { IncomingMessage, ServerResponse } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import type { Freezer } from '../kube-sim/fault-gate.js';
import type { EventFate, FaultRules, FaultSubject } from '../kube-sim/faults.js';
import type { ChangeType } from '../kube-sim/store.js';

interface EventLine {
  type: string;
  object?: { metadata?: { name?: string; namespace?: string } };
}

const CHANGES = new Set(['ADDED', 'MODIFIED', 'DELETED']);

/** Passes a watch on line by line, and does to each event what the rules say. */
export function relayWatch(
  upstream: IncomingMessage,
  response: ServerResponse,
  subject: FaultSubject,
  rules: FaultRules,
  freezer: Freezer,
): void {
  const decoder = new StringDecoder();
  let rest = '';
  const send = (line: string): void => freezer.run(() => response.write(`${line}\n`));
  const fateOf = (line: string): EventFate => {
    const event = JSON.parse(line) as EventLine;
    if (!CHANGES.has(event.type)) return { drop: false, copies: 1, delayMs: 0 };
    const { name, namespace } = event.object?.metadata ?? {};
    return rules.forEvent(event.type as ChangeType, { ...subject, name, namespace });
  };
  const take = (line: string): void => {
    const { drop, copies, delayMs } = fateOf(line);
    for (let copy = 0; copy < (drop ? 0 : copies); copy += 1) {
      if (delayMs > 0) setTimeout(() => send(line), delayMs).unref();
      else send(line);
    }
  };
  upstream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) take(line);
  });
  upstream.once('end', () => freezer.run(() => response.end()));
  upstream.once('error', () => response.destroy());
  response.once('close', () => upstream.destroy());
}
