import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { execInContainer } from './exec-in-container.js';
import { firstOf } from './first-of.js';
import type { ContainerSpec, Handler, HttpGetAction } from './pod-spec.js';

/** Where a hook or a probe runs. */
export interface HandlerPlace {
  container: ContainerSpec;
  podIP: string;
  env: Record<string, string>;
  cwd: string;
  translate(text: string): string;
  timeoutMs?: number;
  /** The first of them to abort ends the action. */
  endsWith?: readonly AbortSignal[];
}

/** With the one signal that ends the action. */
type ActionPlace = HandlerPlace & { signal: AbortSignal };

export interface HandlerResult {
  ok: boolean;
  message: string;
}

/** Runs a lifecycle hook's or a probe's action. Never rejects. */
export async function runHandler(handler: Handler, place: HandlerPlace): Promise<HandlerResult> {
  const end = firstOf(place.endsWith ?? []);
  try {
    return await act(handler, { ...place, signal: end.signal });
  } finally {
    end.release();
  }
}

async function act(handler: Handler, place: ActionPlace): Promise<HandlerResult> {
  if (handler.exec) return runExec(handler.exec.command ?? [], place);
  if (handler.httpGet) return getOnce(handler.httpGet, place);
  if (handler.tcpSocket) return connectOnce(handler.tcpSocket, place);
  if (handler.sleep) return sleepOnce(handler.sleep.seconds * 1000, place.signal);
  return { ok: false, message: 'invalid handler: neither exec, httpGet, tcpSocket nor sleep' };
}

async function runExec(command: readonly string[], place: ActionPlace): Promise<HandlerResult> {
  const { env, cwd, signal } = place;
  const result = await execInContainer({
    command: command.map((part) => place.translate(part)),
    env,
    cwd,
    signal,
    ...(place.timeoutMs === undefined ? {} : { timeoutMs: place.timeoutMs }),
  });
  if (result.timedOut) return { ok: false, message: `command ${JSON.stringify(command)} timed out` };
  return {
    ok: result.exitCode === 0,
    message: result.exitCode === 0 ? '' : `exit ${result.exitCode}: ${result.output}`,
  };
}

/** A port number, or the number of the container's port of that name; 0 when there is none. */
function portNumber(port: number | string, container: ContainerSpec): number {
  if (typeof port === 'number' || /^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? 0;
}

function getOnce(action: HttpGetAction, place: ActionPlace): Promise<HandlerResult> {
  const secure = action.scheme?.toUpperCase() === 'HTTPS';
  const headers = Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value]));
  return new Promise((resolve) => {
    const request = (secure ? https : http).request({
      host: action.host ?? place.podIP,
      port: portNumber(action.port, place.container),
      path: action.path || '/',
      headers: { 'user-agent': 'kube-probe/process-kubelet', connection: 'close', ...headers },
      agent: false,
      timeout: place.timeoutMs ?? 30_000,
      signal: place.signal,
      ...(secure ? { rejectUnauthorized: false } : {}),
    });
    request.once('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve({ ok: status >= 200 && status < 400, message: `HTTP probe failed with statuscode: ${status}` });
    });
    request.once('timeout', () => request.destroy(new Error('context deadline exceeded')));
    request.once('error', (error) => resolve({ ok: false, message: error.message }));
    request.end();
  });
}

function connectOnce(action: { port: number | string; host?: string }, place: HandlerPlace): Promise<HandlerResult> {
  return new Promise((resolve) => {
    const socket = net.connect({
      host: action.host ?? place.podIP,
      port: portNumber(action.port, place.container),
      timeout: place.timeoutMs ?? 30_000,
    });
    const finish = (result: HandlerResult) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => finish({ ok: true, message: '' }));
    socket.once('timeout', () => finish({ ok: false, message: 'i/o timeout' }));
    socket.once('error', (error) => finish({ ok: false, message: error.message }));
  });
}

function sleepOnce(ms: number, signal: AbortSignal): Promise<HandlerResult> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ok: true, message: '' }), ms);
    const end = (): void => {
      clearTimeout(timer);
      resolve({ ok: false, message: 'the container ended' });
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
