import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import {
  type Fields,
  int64Of,
  invalidForEach,
  isSet,
  listOf,
  numberOf,
  recordOf,
  recordsOf,
  textOf,
} from '../fields.js';
import { checkHttpHeaderName, checkPortName, checkPortNumber } from '../names.js';

/** `terminationGracePeriodSeconds` of the pod that sidecars are validated in: the default of Kubernetes. */
const GRACE_PERIOD_SECONDS = 30;

type HandlerCheck = (action: Fields, path: string) => FieldError[];

const EXEC: HandlerCheck = (exec, path) => (listOf(exec.command).length === 0 ? [required(`${path}.command`)] : []);

const HTTP_GET: HandlerCheck = (http, path) => {
  const scheme = textOf(http.scheme);
  return [
    ...(textOf(http.path) === '' ? [required(`${path}.path`)] : []),
    ...validatePortReference(http.port, `${path}.port`),
    ...(['HTTP', 'HTTPS'].includes(scheme) ? [] : [notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS'])]),
    ...recordsOf(http.httpHeaders).flatMap(({ name }) =>
      invalidForEach(`${path}.httpHeaders`, textOf(name), checkHttpHeaderName(textOf(name))),
    ),
  ];
};

const TCP_SOCKET: HandlerCheck = (tcp, path) => validatePortReference(tcp.port, `${path}.port`);

const GRPC: HandlerCheck = (grpc, path) => validatePortReference(numberOf(grpc.port), `${path}.port`);

const SLEEP: HandlerCheck = (sleep, path) => {
  const seconds = int64Of(sleep.seconds);
  if (seconds > 0 && seconds <= GRACE_PERIOD_SECONDS) return [];
  const rule = `must be greater than 0 and less than terminationGracePeriodSeconds (${GRACE_PERIOD_SECONDS}).`;
  return [invalid(path, seconds, `${rule} Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.`)];
};

const PROBE_HANDLERS: Record<string, HandlerCheck> = {
  exec: EXEC,
  httpGet: HTTP_GET,
  tcpSocket: TCP_SOCKET,
  grpc: GRPC,
};
const HOOK_HANDLERS: Record<string, HandlerCheck> = {
  exec: EXEC,
  httpGet: HTTP_GET,
  tcpSocket: TCP_SOCKET,
  sleep: SLEEP,
};

function validatePortReference(port: unknown, path: string): FieldError[] {
  return typeof port === 'string'
    ? invalidForEach(path, port, checkPortName(port))
    : invalidForEach(path, numberOf(port), checkPortNumber(numberOf(port)));
}

function validateHandler(handler: Fields, path: string, checks: Record<string, HandlerCheck>): FieldError[] {
  const [first, ...others] = Object.entries(checks).filter(([name]) => isSet(handler[name]));
  if (first === undefined) return [required(path, 'must specify a handler type')];
  const [name, check] = first;
  return [
    ...check(recordOf(handler[name]), `${path}.${name}`),
    ...others.map(([other]) => forbidden(`${path}.${other}`, 'may not specify more than 1 handler type')),
  ];
}

export function validateLifecycle(lifecycle: unknown, path: string): FieldError[] {
  const hooks = recordOf(lifecycle);
  return ['postStart', 'preStop']
    .filter((name) => isSet(hooks[name]))
    .flatMap((name) => validateHandler(recordOf(hooks[name]), `${path}.${name}`, HOOK_HANDLERS));
}

const PROBE_NUMBERS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function validateProbe(probe: Fields, path: string): FieldError[] {
  const errors = validateHandler(probe, path, PROBE_HANDLERS);
  for (const name of PROBE_NUMBERS) {
    const value = numberOf(probe[name]);
    if (value < 0) errors.push(invalid(`${path}.${name}`, value, 'must be greater than or equal to 0'));
  }
  const grace = probe.terminationGracePeriodSeconds;
  if (isSet(grace) && int64Of(grace) <= 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  }
  return errors;
}

/** The three probes of a container that keeps running. */
export function validateProbes(container: Fields, path: string): FieldError[] {
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => {
    if (!isSet(container[name])) return [];
    const probe = recordOf(container[name]);
    const at = `${path}.${name}`;
    return [
      ...validateProbe(probe, at),
      ...(name === 'readinessProbe' ? onlyReadiness(probe, at) : onlyOnce(probe, at)),
    ];
  });
}

function onlyOnce(probe: Fields, path: string): FieldError[] {
  const threshold = numberOf(probe.successThreshold);
  return threshold === 1 ? [] : [invalid(`${path}.successThreshold`, threshold, 'must be 1')];
}

function onlyReadiness(probe: Fields, path: string): FieldError[] {
  const grace = probe.terminationGracePeriodSeconds;
  if (!isSet(grace)) return [];
  return [invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes')];
}
