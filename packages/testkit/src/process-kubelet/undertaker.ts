import { type ChildProcess, spawn } from 'node:child_process';
import { KUBELET_MARK } from './process-marks.js';

/**
 * Waits for its standard input to end, which happens when the kubelet is gone, however it went, and then ends every process that
 * inherited the kubelet's mark. It is a text and no file of its own, so that it runs from sources and from the build alike.
 */
const SCRIPT = `
const { readdirSync, readFileSync } = require('node:fs');
const mark = process.argv[1] + '\\0';
const isMarked = (pid) => { try { return readFileSync('/proc/' + pid + '/environ', 'latin1').includes(mark); } catch { return false; } };
const kill = (pid) => { try { process.kill(pid, 'SIGKILL'); } catch {} };
const end = (looks) => {
  const pids = readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map(Number).filter(isMarked);
  for (const pid of pids) kill(pid);
  if (pids.length > 0 && looks > 0) setTimeout(end, 5, looks - 1);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.stdin.resume().once('close', () => end(200));
`;

/** Starts it in a session of its own: what ends the kubelet's group must not end it first. End its stdin to let it go. */
export function startUndertaker(kubeletId: string): ChildProcess {
  const child = spawn(process.execPath, ['-e', SCRIPT, `${KUBELET_MARK}=${kubeletId}`], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
  });
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  child.unref();
  (child.stdin as unknown as { unref?(): void }).unref?.();
  return child;
}
