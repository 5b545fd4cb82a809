import { describe, expect, test } from '@jest/globals';
import { registrationPatch } from './client-config.js';

const b64 = (text: string) => Buffer.from(text).toString('base64');
const metadata = { name: 'x' };
const service = { name: 'sidestep-webhook', namespace: 'kruise-system', path: '/mutate-pod' };
const admission = (...clientConfigs: object[]) => ({
  metadata,
  webhooks: clientConfigs.map((clientConfig) => ({ name: 'w', clientConfig })),
});
const crd = (clientConfig: object) => ({
  metadata,
  spec: { group: 'g', conversion: { strategy: 'Webhook', webhook: { clientConfig } } },
});
const CA = { caBundle: 'CA', url: undefined };

describe('the registration of a webhook', () => {
  test('gets the bundle, and keeps its Service', () => {
    expect(registrationPatch(admission({ service }, { service, caBundle: b64('old') }), CA)).toEqual([
      { op: 'replace', path: '/webhooks/0/clientConfig', value: { service, caBundle: b64('CA') } },
      { op: 'replace', path: '/webhooks/1/clientConfig', value: { service, caBundle: b64('CA') } },
    ]);
  });

  test('is left alone when it is as it should be', () => {
    expect(registrationPatch(admission({ service, caBundle: b64('CA') }), CA)).toEqual([]);
    expect(registrationPatch(crd({ service, caBundle: b64('CA') }), CA)).toEqual([]);
  });

  test('names an address in place of the Service, with the same path', () => {
    const wanted = { caBundle: 'CA', url: 'https://127.0.0.1:9443' };
    const value = { url: 'https://127.0.0.1:9443/mutate-pod', caBundle: b64('CA') };
    expect(registrationPatch(admission({ service }), wanted)).toEqual([
      { op: 'replace', path: '/webhooks/0/clientConfig', value },
    ]);
    expect(registrationPatch(admission({ url: 'https://elsewhere/mutate-pod' }), wanted)).toEqual([
      { op: 'replace', path: '/webhooks/0/clientConfig', value },
    ]);
    expect(registrationPatch(admission(value), wanted)).toEqual([]);
  });

  test('keeps a bundle that somebody else manages', () => {
    const wanted = { caBundle: undefined, url: 'https://h' };
    expect(registrationPatch(admission({ service, caBundle: 'theirs' }), wanted)).toEqual([
      { op: 'replace', path: '/webhooks/0/clientConfig', value: { caBundle: 'theirs', url: 'https://h/mutate-pod' } },
    ]);
  });

  test('of a conversion is in the definition', () => {
    expect(registrationPatch(crd({ service: { ...service, path: '/convert' } }), CA)).toEqual([
      {
        op: 'replace',
        path: '/spec/conversion/webhook/clientConfig',
        value: { service: { ...service, path: '/convert' }, caBundle: b64('CA') },
      },
    ]);
  });

  test.each<[string, object]>([
    ['no webhooks', { metadata }],
    ['webhooks that are no list', { metadata, webhooks: 'x' }],
    ['a webhook without clientConfig', { metadata, webhooks: [{}, null] }],
    ['a definition without conversion', { metadata, spec: { conversion: { strategy: 'None' } } }],
  ])('is nothing in an object with %s', (_, object) => {
    expect(registrationPatch(object as { metadata: { name: string } }, CA)).toEqual([]);
  });
});
