// Preloaded into the apps by a soak: writes down now and then how much of the heap is really in use.
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HEAP_EVERY_MS, HEAP_FOLDER } from './heap-samples.js';

const folder = process.env[HEAP_FOLDER];
if (folder) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sample = (): void => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    try {
      appendFileSync(
        path.join(folder, `${process.pid}.jsonl`),
        `${JSON.stringify([Date.now(), heapUsed + external])}\n`,
      );
    } catch {
      // The soak is over and has removed the folder.
    }
  };
  setInterval(sample, HEAP_EVERY_MS).unref();
}
