import { X509Certificate } from 'node:crypto';
import type { AuthorityRecord } from './authority-record.js';
import type { KeyPair } from './certificates.js';

const DAY_MS = 24 * 3_600_000;

/** How long things live; the values follow cert-manager's own webhook. */
export const LIFETIMES = {
  authorityMs: 365 * DAY_MS,
  leafMs: 7 * DAY_MS,
  /** A new authority is known for this long before it signs: every API server has it in its bundle by then. */
  announcementMs: 10 * 60_000,
} as const;

/** Share of its life after which a certificate is replaced. */
const RENEW_AFTER = 2 / 3;

export type AuthorityDecision =
  /** There is none, or the one there is has ended: a new one signs at once, as there is nobody to wait for. */
  | { action: 'create' }
  /** A new one is announced; the old one goes on signing until `signsFrom`. */
  | { action: 'announce'; signsFrom: Date; previous: KeyPair }
  | { action: 'keep' };

/** What is to be done about the shared authority. */
export function decideAuthority(record: AuthorityRecord | undefined, now: Date): AuthorityDecision {
  if (!record || endOf(record.current) <= now) return { action: 'create' };
  if (now < record.signsFrom || now < renewalOf(record.current)) return { action: 'keep' };
  const signsFrom = new Date(now.getTime() + LIFETIMES.announcementMs);
  return { action: 'announce', signsFrom, previous: record.current };
}

/** The authority that signs leaves at the moment. */
export function signerOf(record: AuthorityRecord, now: Date): KeyPair {
  const { current, signsFrom, previous } = record;
  return now < signsFrom && previous && endOf(previous) > now ? previous : current;
}

/** Every authority whose leaves a caller may meet. */
export function bundleOf({ current, previous }: AuthorityRecord, now: Date): string {
  const trusted = previous && endOf(previous) > now ? [current, previous] : [current];
  return trusted.map(({ cert }) => `${cert.trim()}\n`).join('');
}

/** Whether the leaf in use is to be replaced: it is old, or its authority no longer signs. */
export function leafIsDue(leaf: { cert: string; signer: string } | undefined, signer: KeyPair, now: Date): boolean {
  return !leaf || leaf.signer !== signer.cert || now >= renewalOf(leaf);
}

/** When to look again: at the next moment at which one of these decisions changes, at once when that has passed meanwhile. */
export function nextLook(record: AuthorityRecord, leaf: { cert: string }, now: Date): Date {
  const leafRenewal = renewalOf(leaf);
  if (leafRenewal <= now) return now;
  const coming = [record.signsFrom, renewalOf(record.current), leafRenewal].filter((moment) => moment > now);
  return new Date(Math.min(...coming.map((moment) => moment.getTime()), now.getTime() + DAY_MS));
}

export const endOf = ({ cert }: { cert: string }): Date => new Date(new X509Certificate(cert).validTo);

function renewalOf({ cert }: { cert: string }): Date {
  const { validFrom, validTo } = new X509Certificate(cert);
  const [start, end] = [new Date(validFrom).getTime(), new Date(validTo).getTime()];
  return new Date(start + (end - start) * RENEW_AFTER);
}
