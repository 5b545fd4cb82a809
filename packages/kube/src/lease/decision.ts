/** The spec of a coordination.k8s.io/v1 Lease: https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/ */
export interface LeaseSpec {
  holderIdentity?: string | null;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  leaseTransitions?: number;
  [field: string]: unknown;
}

export interface LeaseView {
  /** The lease as read; `undefined` when there is none. */
  spec: LeaseSpec | undefined;
  /** When this reader first saw it in this form, by its own clock: clocks of other machines are not trusted. */
  seenAt: Date;
  identity: string;
  leaseDurationMs: number;
  now: Date;
}

export type LeaseDecision =
  | { action: 'create' | 'renew' | 'take'; spec: LeaseSpec }
  | { action: 'wait'; holder: string; expiresInMs: number };

/**
 * Whether to hold the lease: renew what is mine, take what is free or has not been renewed for its duration, else wait.
 * `leaseTransitions` rises with every new holder, so it orders the holders (a fencing epoch).
 */
export function decideLease(view: LeaseView): LeaseDecision {
  const { spec, identity, now } = view;
  if (!spec) return { action: 'create', spec: claim(view, 0, now) };
  const transitions = spec.leaseTransitions ?? 0;
  if (spec.holderIdentity === identity) {
    return { action: 'renew', spec: { ...spec, ...claim(view, transitions, parseTime(spec.acquireTime) ?? now) } };
  }
  const expiresInMs = expiryMs(view) - now.getTime();
  if (spec.holderIdentity && expiresInMs > 0) return { action: 'wait', holder: spec.holderIdentity, expiresInMs };
  return { action: 'take', spec: { ...spec, ...claim(view, transitions + 1, now) } };
}

/** The lease given back, so that the next holder need not wait for it to expire. */
export function releasedLease(spec: LeaseSpec, now: Date): LeaseSpec {
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
}

function claim(view: LeaseView, transitions: number, acquired: Date): LeaseSpec {
  return {
    holderIdentity: view.identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(view.leaseDurationMs / 1000)),
    acquireTime: microTime(acquired),
    renewTime: microTime(view.now),
    leaseTransitions: transitions,
  };
}

/** The holder's own duration counts: it may have been started with other settings. */
function expiryMs(view: LeaseView): number {
  const seconds = view.spec?.leaseDurationSeconds;
  return view.seenAt.getTime() + (seconds === undefined ? view.leaseDurationMs : seconds * 1000);
}

/** MicroTime: an API server insists on exactly six digits. */
const microTime = (time: Date): string => time.toISOString().replace('Z', '000Z');

function parseTime(text: string | undefined): Date | undefined {
  const time = text === undefined ? undefined : new Date(text);
  return time && !Number.isNaN(time.getTime()) ? time : undefined;
}
