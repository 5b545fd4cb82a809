import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Starts the process that ends this kubelet's containers when the kubelet is gone. Returns a function that lets it go in peace. */
export function startUndertaker(kubeletId: string): ChildProcess {
  const child = spawn(process.execPath, [builtFile(), kubeletId], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?(): void }).unref?.();
  return child;
}

/** Next to this file when built; tests run the sources, and the build is beside them. */
function builtFile(): string {
  const beside = fileURLToPath(new URL('./undertaker.js', import.meta.url));
  return existsSync(beside) ? beside : beside.replace('/src/process-kubelet/', '/dist/process-kubelet/');
}
