import { createHmac, timingSafeEqual } from 'node:crypto';

/** Both sides of one conversation, as HELLO and CHALLENGE named them. */
export interface Conversation {
  takerInstance: string;
  takerNonce: string;
  giverInstance: string;
  giverNonce: string;
}

/**
 * HMAC-SHA256 over both nonces and both instance ids, in hexadecimal. The first word differs per direction, so that neither side can
 * answer with what the other one sent.
 */
export function proofOf(secret: Uint8Array, side: 'taker' | 'giver', c: Conversation): string {
  const said = [side, c.takerInstance, c.takerNonce, c.giverInstance, c.giverNonce].join('\n');
  return createHmac('sha256', secret).update(said).digest('hex');
}

/** Compares in constant time. */
export function sameProof(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The highest version both ranges share, or undefined. */
export function chooseVersion(
  own: { min: number; max: number },
  peer: { min: number; max: number },
): number | undefined {
  const best = Math.min(own.max, peer.max);
  return best >= Math.max(own.min, peer.min) ? best : undefined;
}
