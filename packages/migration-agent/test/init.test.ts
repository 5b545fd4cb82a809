import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ADAPTERS } from '../src/adapters/registry.js';
import { Pod } from './processes.js';

let pod: Pod;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(() => pod.close());

async function printed(args: string[]): Promise<string[]> {
  const init = pod.agent(['init', ...args]);
  expect((await init.exited).code).toBe(0);
  await init.heard(({ line }) => /^CMD |action: Pause/.test(line ?? ''));
  return init.told.map(({ line }) => line ?? '');
}

describe('sidestep-agent init', () => {
  test.each(ADAPTERS.map(({ name }) => name))(
    'prints a Containerfile whose command `run` understands: %s',
    async (adapter) => {
      const lines = await printed(['--adapter', adapter, '--only', 'containerfile']);
      const command = JSON.parse(lines.find((line) => line.startsWith('CMD '))!.slice(4)) as string[];
      expect(command.slice(0, 3)).toEqual(['run', '--adapter', adapter]);
      const dashes = command.indexOf('--');
      // The doctor reads the same options, and knows that no such program is here.
      const doctor = pod.agent(['doctor', ...command.slice(1, dashes), '--', 'no-such-program']);
      expect((await doctor.exited).code).toBe(1);
    },
  );

  test('names and images are the user’s where he gives them', async () => {
    const lines = await printed([
      '--adapter',
      'envoy',
      '--name',
      'mesh',
      '--image',
      'reg.example/mesh:2',
      '--only',
      'sidecarset',
    ]);
    expect(lines).toEqual(
      expect.arrayContaining(['  name: mesh', '      image: reg.example/mesh:2', '    - name: sidestep-mesh']),
    );
  });

  test.each([
    [[], 'init needs --adapter'],
    [['--adapter', 'x'], 'allowed are'],
    [['--adapter', 'nginx', '--only', 'x'], 'sidecarset, containerfile'],
    [['--adapter', 'nginx', '--name', 'Big Name'], 'lower case'],
    [['--adapter', 'nginx', '--image', 'a b\nc'], 'the name of an image'],
  ])('%j is wrong usage', async (args, said) => {
    const wrong = pod.agent(['init', ...args]);
    expect((await wrong.exited).code).toBe(2);
    expect(wrong.stderr).toContain(said);
  });
});
