/** What every API server must do for Sidestep; run on kube-sim, and on the real kube-apiserver where there is one. */
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { admissionContract } from './kube-contract/admission.contract.js';
import { customResourceContract } from './kube-contract/custom-resources.contract.js';
import { deleteContract } from './kube-contract/deletes.contract.js';
import { listContract } from './kube-contract/lists.contract.js';
import { objectContract } from './kube-contract/objects.contract.js';
import { patchContract } from './kube-contract/patches.contract.js';
import { podContract } from './kube-contract/pods.contract.js';
import type { ApiServerUnderTest, Subject } from './kube-contract/subject.js';
import { watchContract } from './kube-contract/watches.contract.js';

export type { ApiServerUnderTest } from './kube-contract/subject.js';

const START_DEADLINE_MS = 300_000;
/** A real server on a busy machine may take its time; no test depends on how much. */
const TEST_DEADLINE_MS = 120_000;

/** Declares the whole suite for one API server. `start` is called once. */
export const kubeApiContract = (name: string, start: () => Promise<ApiServerUnderTest>): void => {
  jest.setTimeout(TEST_DEADLINE_MS);
  describe(`an API server: ${name}`, () => {
    let server: ApiServerUnderTest;
    let spaces = 0;

    beforeAll(async () => {
      server = await start();
    }, START_DEADLINE_MS);

    afterAll(() => server?.stop());

    const subject: Subject = {
      get api() {
        return server.api;
      },
      async newNamespace() {
        spaces += 1;
        const namespace = `contract-${spaces}`;
        await server.createNamespace(namespace);
        return namespace;
      },
    };

    objectContract(subject);
    listContract(subject);
    watchContract(subject);
    patchContract(subject);
    deleteContract(subject);
    podContract(subject);
    customResourceContract(subject);
    admissionContract(subject);
  });
};
