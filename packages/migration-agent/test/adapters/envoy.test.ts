import { join } from 'node:path';
import { test } from '@jest/globals';
import { findEnvoys, leaveOut } from '@sidestep/testkit';
import { type AdapterRoom, type AdapterRun, adapterContract } from './adapter.contract.js';
import { writeEnvoyConfig } from './envoy-config.js';

const envoys = await findEnvoys({ download: false }).catch((missing: Error) => missing);

if (envoys instanceof Error) {
  const why = envoys.message;
  test('the envoy adapter is left out', () => leaveOut('the envoy adapter with real Envoy', why));
} else {
  const run = (program: string, label: string, room: AdapterRoom): AdapterRun => {
    const config = writeEnvoyConfig(room.directory, { label, ports: [room.port], upstreamPort: room.upstreamPort });
    return { command: [program, '-c', config, '-l', 'error', '--concurrency', '2'] };
  };
  adapterContract({
    adapter: 'envoy',
    // Every other version is of the other release, so that each hand-over is between two.
    version: (label, room) => run(Number(label.slice(1)) % 2 === 1 ? envoys.older : envoys.newer, label, room),
    unready: (room) => {
      const { directory, upstreamPort } = room;
      const config = writeEnvoyConfig(directory, {
        label: 'unready',
        ports: [],
        upstreamPort,
        waitsForListeners: true,
      });
      return { command: [envoys.newer, '-c', config, '-l', 'error'] };
    },
    broken: (room) => ({ command: [envoys.newer, '-c', join(room.directory, 'no-such-file.yaml'), '-l', 'error'] }),
  });
}
