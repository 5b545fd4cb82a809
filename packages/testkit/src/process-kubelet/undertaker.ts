/**
 * Waits for its standard input to end, which happens when the kubelet that started it is gone, however it went; then ends every
 * process that this kubelet started. Run as: undertaker.js KUBELET_ID
 */
import { KUBELET_MARK, killMarked } from './process-marks.js';

const [, , kubeletId] = process.argv;

// What ends the kubelet (Ctrl-C, a group kill) must not end this one first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.stdin.resume();
process.stdin.once('close', () => {
  if (!kubeletId) return;
  killMarked(KUBELET_MARK, kubeletId).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
