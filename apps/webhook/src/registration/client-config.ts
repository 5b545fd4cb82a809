import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, PatchOperation } from '@sidestep/kube';
import { isObject } from '../admission/review.js';

/** How an API server finds a webhook: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#contacting-the-webhook */
interface ClientConfig {
  service?: { path?: string; [field: string]: unknown };
  url?: string;
  caBundle?: string;
  [field: string]: unknown;
}

export interface Wanted {
  /** PEM; undefined leaves what is there alone. */
  caBundle: string | undefined;
  /** Base address to call instead of a Service; undefined leaves the address alone. */
  url: string | undefined;
}

/**
 * The patch that makes an object's webhooks trust and find this one; empty when they do. Takes admission webhook
 * configurations and CustomResourceDefinitions. Only `clientConfig` is touched: who, when and with which policy is the
 * business of whoever installed the object.
 */
export function registrationPatch(object: KubeObject, wanted: Wanted): PatchOperation[] {
  const patch: PatchOperation[] = [];
  for (const [path, config] of clientConfigs(object)) {
    const value = adjusted(config, wanted);
    if (!isDeepStrictEqual(value, config)) patch.push({ op: 'replace', path, value });
  }
  return patch;
}

function* clientConfigs(object: KubeObject): Generator<[string, ClientConfig]> {
  const webhooks = Array.isArray(object.webhooks) ? (object.webhooks as unknown[]) : [];
  for (const [index, webhook] of webhooks.entries()) {
    if (isObject(webhook) && isObject(webhook.clientConfig))
      yield [`/webhooks/${index}/clientConfig`, webhook.clientConfig];
  }
  let conversion: unknown = object.spec;
  for (const field of ['conversion', 'webhook', 'clientConfig'])
    conversion = isObject(conversion) ? conversion[field] : undefined;
  if (isObject(conversion)) yield ['/spec/conversion/webhook/clientConfig', conversion];
}

function adjusted(config: ClientConfig, { caBundle, url }: Wanted): ClientConfig {
  const trusted = caBundle === undefined ? config : { ...config, caBundle: Buffer.from(caBundle).toString('base64') };
  if (url === undefined) return trusted;
  const { service: _service, ...rest } = trusted;
  return { ...rest, url: `${url}${pathOf(config)}` };
}

function pathOf({ service, url }: ClientConfig): string {
  if (url !== undefined && URL.canParse(url)) return new URL(url).pathname;
  return service?.path ?? '/';
}
