import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-error.js';
import type { FaultControl, FaultEffect, FaultRules } from './faults.js';
import { sendError } from './http/answer.js';

/** Holds back every answer while the server plays dead. */
export class Freezer {
  private thawed: Promise<void> | undefined;
  private release: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** Runs `action` now, or when the server answers again. */
  run(action: () => void): void {
    if (this.thawed === undefined) action();
    else void this.thawed.then(action);
  }

  async wait(): Promise<void> {
    await this.thawed;
  }

  freeze(ms?: number): void {
    this.thawed ??= new Promise((resolve) => {
      this.release = resolve;
    });
    clearTimeout(this.timer);
    if (ms !== undefined) this.timer = setTimeout(() => this.thaw(), ms);
  }

  thaw(): void {
    clearTimeout(this.timer);
    this.thawed = undefined;
    this.release?.();
  }
}

/** The handle of rules and freezer; what watches and history are is the server's own affair. */
export const faultControl = (
  rules: FaultRules,
  freezer: Freezer,
  own: Pick<FaultControl, 'cutWatches' | 'compact'>,
): FaultControl => ({
  add: (rule) => rules.add(rule),
  remove: (id) => rules.remove(id),
  clear: () => rules.clear(),
  list: () => rules.list(),
  freeze: (ms) => freezer.freeze(ms),
  thaw: () => freezer.thaw(),
  ...own,
});

/** Lets a fault strike a request. True when the request goes on after it. */
export async function suffer(fault: FaultEffect, message: IncomingMessage, response: ServerResponse): Promise<boolean> {
  switch (fault.kind) {
    case 'status':
      sendError(response, statusError(fault));
      return false;
    case 'delay':
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      return !response.destroyed;
    case 'hang':
      return false;
    case 'disconnect':
      message.socket.destroy();
      return false;
    default:
      return true;
  }
}

function statusError({ code, reason, message, retryAfterSeconds }: Extract<FaultEffect, { kind: 'status' }>): ApiError {
  const details = retryAfterSeconds === undefined ? undefined : { retryAfterSeconds };
  return new ApiError(
    code,
    reason || (REASONS[code] ?? 'InternalError'),
    message ?? `fault injected: ${code}`,
    details,
  );
}

const REASONS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The status to count a struck request under; 0 when there was no answer. */
export const codeOf = (fault: FaultEffect): number => (fault.kind === 'status' ? fault.code : 0);
