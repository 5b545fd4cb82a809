import type { Container } from '../kubernetes.js';
import { QuantityError, resourceQuantityText } from '../quantity.js';
import { isRecord } from '../schema/go-json.js';
import type { SidecarContainer } from '../sidecarset.js';
import { defaultPullPolicy } from './image-reference.js';

type Fields = Record<string, unknown>;

/** Sets what is absent, empty or zero: the fields that Go cannot tell from unset. */
function setUnset(target: Fields, defaults: Fields): void {
  for (const [name, value] of Object.entries(defaults)) {
    const held = target[name];
    if (held === undefined || held === null || held === '' || held === 0) target[name] = value;
  }
}

const records = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** Sets `apiVersion: v1` on a field reference that has none. */
export function defaultFieldRef(holder: unknown): void {
  if (isRecord(holder) && isRecord(holder.fieldRef)) setUnset(holder.fieldRef, { apiVersion: 'v1' });
}

/**
 * The defaults that OpenKruise gives a sidecar, in place. Unlike OpenKruise, which validates but does not default it, the startup
 * probe is treated like the other probes.
 */
export function defaultSidecarContainer(container: SidecarContainer, podInjectPolicy: string): void {
  defaultContainer(container);
  setUnset(container, { podInjectPolicy, upgradeStrategy: {}, shareVolumePolicy: {} });
  setUnset(container.upgradeStrategy as Fields, { upgradeType: 'ColdUpgrade' });
  setUnset(container.shareVolumePolicy as Fields, { type: 'disabled' });
  for (const transfer of records(container.transferEnv)) defaultFieldRef(transfer.sourceContainerNameFrom);
  if (isRecord(container.resourcesPolicy)) setUnset(container.resourcesPolicy, { targetContainersNameRegex: '.*' });
}

function defaultContainer(container: Container): void {
  setUnset(container, {
    imagePullPolicy: defaultPullPolicy(container.image ?? ''),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  for (const port of records(container.ports)) setUnset(port, { protocol: 'TCP' });
  for (const env of records(container.env)) defaultFieldRef(env.valueFrom);
  defaultResourceList(container.resources?.limits);
  defaultResourceList(container.resources?.requests);
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(container[name]);
  if (isRecord(container.lifecycle)) {
    defaultHttpGet(container.lifecycle.postStart);
    defaultHttpGet(container.lifecycle.preStop);
  }
}

function defaultResourceList(list: Record<string, string | number> | undefined): void {
  for (const [name, value] of Object.entries(list ?? {})) {
    try {
      (list as Fields)[name] = resourceQuantityText(value);
    } catch (error) {
      if (!(error instanceof QuantityError)) throw error;
    }
  }
}

function defaultProbe(probe: unknown): void {
  if (!isRecord(probe)) return;
  setUnset(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  defaultHttpGet(probe);
}

function defaultHttpGet(handler: unknown): void {
  if (isRecord(handler) && isRecord(handler.httpGet)) setUnset(handler.httpGet, { path: '/', scheme: 'HTTP' });
}
