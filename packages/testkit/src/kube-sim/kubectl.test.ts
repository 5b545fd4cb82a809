import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { aPod } from '../builders/a-pod.js';
import { findOnPath, isExecutable, runCommand } from '../ensure/run-command.js';
import { WHEELS, wheelProgram } from '../ensure/wheel.js';
import { leaveOut } from '../left-out.js';
import { removeScratch } from '../scratch/remove-scratch.js';
import { startKubeSim } from './start.js';
import type { KubeSim } from './types.js';

const cached = wheelProgram(WHEELS.kubectl);
const kubectlProgram = (await findOnPath('kubectl')) ?? ((await isExecutable(cached)) ? cached : undefined);

const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.test.dev' },
  spec: {
    group: 'test.dev',
    scope: 'Namespaced',
    names: { plural: 'gadgets', kind: 'Gadget', shortNames: ['gg'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [{ name: 'SIZE', type: 'integer', jsonPath: '.spec.size' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
      },
    ],
  },
};
const gadget = (size: number): object => ({
  apiVersion: 'test.dev/v1',
  kind: 'Gadget',
  metadata: { name: 'g' },
  spec: { size },
});

if (!kubectlProgram) {
  leaveOut('kubectl against kube-sim', 'no kubectl on PATH or in the cache');
  test('kubectl is missing, which is said aloud', () => expect(kubectlProgram).toBeUndefined());
} else {
  describe('kubectl against kube-sim', () => {
    let folder: string;
    let sim: KubeSim;

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'sidestep-kubectl-'));
      sim = await startKubeSim({ kubeconfigFile: path.join(folder, 'kubeconfig') });
    });

    afterAll(async () => {
      await sim.stop();
      await removeScratch(folder);
    });

    const kubectl = async (...args: string[]): Promise<string> => {
      const own = ['--kubeconfig', path.join(folder, 'kubeconfig'), '--cache-dir', path.join(folder, 'cache')];
      const { code, stdout, complaint } = await runCommand(kubectlProgram, [...own, ...args]);
      if (code !== 0) throw new Error(complaint);
      return stdout.trim();
    };
    const file = async (...objects: object[]): Promise<string> => {
      const name = path.join(folder, 'objects.yaml');
      await writeFile(name, objects.map((object) => stringify(object)).join('---\n'));
      return name;
    };

    test('applies on both sides, says what changed, and deletes', async () => {
      const pod = aPod('p').labelled({ app: 'shop' });
      expect(await kubectl('apply', '-f', await file(pod.build()))).toBe('pod/p created');
      expect(await kubectl('apply', '-f', await file(pod.build()))).toBe('pod/p unchanged');
      const changed = pod.withContainers({ name: 'app', image: 'app:2' }).build();
      expect(await kubectl('apply', '-f', await file(changed))).toBe('pod/p configured');
      expect(await kubectl('get', 'pod', 'p', '-o', 'jsonpath={.spec.containers[*].image}')).toBe('app:2');
      expect(await kubectl('apply', '--server-side', '--force-conflicts', '-f', await file(changed))).toBe(
        'pod/p serverside-applied',
      );
      expect(await kubectl('get', 'pods', '-l', 'app=shop', '--no-headers')).toMatch(/^p +0\/1 +Pending +0 +\d+s$/);
      expect(await kubectl('describe', 'pod', 'p')).toMatch(/Image: +app:2/);
      expect(await kubectl('delete', 'pod', 'p')).toContain('pod "p" deleted');
    }, 300_000);

    test('learns a new kind, its short name, its columns and its schema', async () => {
      await kubectl('apply', '-f', await file(CRD));
      await kubectl('wait', '--for', 'condition=established', 'crd/gadgets.test.dev', '--timeout=60s');
      expect(await kubectl('apply', '-f', await file(gadget(3)))).toBe('gadget.test.dev/g created');
      expect(await kubectl('get', 'gg')).toMatch(/^NAME +SIZE\ng +3$/);
      await expect(kubectl('patch', 'gadget', 'g', '--type', 'merge', '-p', '{"spec":{"size":"x"}}')).rejects.toThrow(
        'must be of type integer',
      );
      const strict = { ...gadget(4), spec: { size: 4, sise: 5 } };
      await expect(kubectl('apply', '-f', await file(strict))).rejects.toThrow('unknown field "spec.sise"');
    }, 300_000);

    test('deletes nothing in a dry run, one object or all', async () => {
      await kubectl('apply', '-f', await file({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } }));
      expect(await kubectl('delete', 'configmap', 'kept', '--dry-run=server')).toContain('configmap "kept" deleted');
      const all = '/api/v1/namespaces/default/configmaps';
      for (const path of [`${all}/kept`, all]) await kubectl('delete', '--raw', `${path}?dryRun=All`);
      expect(await kubectl('get', 'configmap', 'kept', '-o', 'name')).toBe('configmap/kept');
    }, 300_000);

    test('watches in place and ends at its time-out', async () => {
      await kubectl('apply', '-f', await file({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'watched' } }));
      const shown = await kubectl('get', 'configmaps', '--watch', '--request-timeout=1s', '--no-headers').catch(
        (error: Error) => error.message,
      );
      expect(shown).toContain('watched');
    }, 300_000);
  });
}
