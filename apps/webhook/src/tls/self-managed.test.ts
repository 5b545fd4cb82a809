import { X509Certificate } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '@sidestep/kube';
import { MemorySecretApi } from '../../test/memory-secret-api.js';
import { SelfManagedTls } from './self-managed.js';
import type { ServingCertificate } from './tls-source.js';

const HOST = 'sidestep-webhook.kruise-system.svc';
const DAY = 24 * 3_600_000;

let api: MemorySecretApi;
let clock: ManualClock;
let replicas: { tls: SelfManagedTls; served: ServingCertificate[]; errors: unknown[] }[];

beforeEach(() => {
  api = new MemorySecretApi();
  // Certificates are checked by the real clock, so the story begins now.
  clock = new ManualClock(new Date());
  replicas = [];
});

afterEach(() => Promise.all(replicas.map(({ tls }) => tls.stop())));

const join = async () => {
  const replica = { served: [] as ServingCertificate[], errors: [] as unknown[] };
  const tls = new SelfManagedTls({
    api: api.asKubeApi(),
    namespace: 'kruise-system',
    secretName: 'ca',
    hosts: [HOST, '127.0.0.1'],
    onError: (error) => replica.errors.push(error),
    clock,
  });
  replicas.push({ tls, ...replica });
  tls.onChange((certificate) => replica.served.push(certificate));
  replica.served.push(await tls.start());
  return { tls, ...replica };
};

/** Lets real cryptography finish between two moves of the clock. */
const until = async (what: string, holds: () => boolean) => {
  const deadline = Date.now() + 60_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await clock.advance(0);
  }
};

const latest = ({ served }: { served: ServingCertificate[] }) => served.at(-1) as ServingCertificate;

const isTrusted = ({ cert }: ServingCertificate, bundle: string | undefined): boolean => {
  const authorities = (bundle ?? '').match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? [];
  return authorities.some((authority) => {
    const [leaf, ca] = [new X509Certificate(cert), new X509Certificate(authority)];
    return leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
  });
};

/** A real TLS handshake; resolves with the reason why the client refused, if it did. */
const handshake = async ({ cert, key }: ServingCertificate, ca: string | undefined, servername: string) => {
  const server = createServer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
    secure.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const options = { port, host: '127.0.0.1', servername, ...(ca ? { ca } : {}) };
  const refused = await new Promise<string | undefined>((resolve) => {
    const socket = connect(options, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
  });
  server.close();
  return refused;
};

describe('a self-managed certificate', () => {
  test('is accepted by a client that has the bundle, for each of its hosts, and by no other', async () => {
    const certificate = latest(await join());
    expect(await handshake(certificate, certificate.caBundle, HOST)).toBeUndefined();
    expect(await handshake(certificate, certificate.caBundle, '')).toBeUndefined();
    expect(await handshake(certificate, certificate.caBundle, 'elsewhere.svc')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await handshake(certificate, undefined, HOST)).toMatch(/UNABLE_TO|SELF_SIGNED/);
  });

  test("lives a week, and its key is in nobody else's hands", async () => {
    const certificate = latest(await join());
    expect(certificate.notAfter.getTime() - clock.now().getTime()).toBeLessThanOrEqual(7 * DAY);
    expect(JSON.stringify(api.secret)).not.toContain(Buffer.from(certificate.key).toString('base64').slice(120, 160));
  });

  test('is renewed by the same authority before it ends, without a write', async () => {
    const replica = await join();
    const [first] = replica.served as [ServingCertificate];
    await clock.advance(5 * DAY);
    await until('a new certificate', () => replica.served.length === 2);
    expect(latest(replica).cert).not.toBe(first.cert);
    expect(isTrusted(latest(replica), first.caBundle)).toBe(true);
    expect(api.writes).toBe(1);
  });
});

describe('several replicas', () => {
  test('trust each other, whoever came first', async () => {
    const [a, b] = [await join(), await join()];
    expect(latest(a).caBundle).toBe(latest(b).caBundle);
    expect(isTrusted(latest(a), latest(b).caBundle)).toBe(true);
    expect(api.writes).toBe(1);
  });

  test('that start at the same moment agree on the one that wrote first', async () => {
    let faster: { served: ServingCertificate[] } | undefined;
    api.interrupt = async () => {
      faster = await join();
    };
    const slower = join();
    await until('both serve', () => replicas.length === 2 && replicas.every(({ served }) => served.length > 0));
    expect(latest(await slower).caBundle).toBe(latest(faster as { served: ServingCertificate[] }).caBundle);
    expect(replicas.flatMap(({ errors }) => errors)).toEqual([]);
  });

  test('change the authority together, with no moment at which a caller could refuse one of them', async () => {
    const [a, b] = [await join(), await join()];
    const before = latest(a).caBundle;
    const accepted = () => {
      // A caller has the bundle of either replica, and meets the certificate of either.
      for (const { served: bundles } of [a, b]) {
        for (const { served } of [a, b]) {
          expect(isTrusted(latest({ served }), latest({ served: bundles }).caBundle)).toBe(true);
        }
      }
    };
    const pass = async (ms: number) => {
      await clock.advance(ms);
      const soon = new Date(clock.now().getTime() + 2 * DAY);
      await until('both are fresh', () => [a, b].every((one) => latest(one).notAfter > soon));
      accepted();
    };
    await pass(4 * DAY);
    await pass(239 * DAY);
    await pass(DAY / 2);
    await until('the announcement', () => [a, b].every((one) => latest(one).caBundle !== before));
    for (let minutes = 0; minutes < 12; minutes += 2) await pass(120_000);
    await until('the change', () => [a, b].every((one) => !isTrusted(latest(one), before)));
    accepted();
    expect(latest(a).caBundle).not.toBe(before);
    expect(latest(a).caBundle).toBe(latest(b).caBundle);
    expect(latest(a).caBundle).toContain(before?.trim());
    expect(api.writes).toBe(2);
  }, 240_000);

  test('announce a new authority before the first of them serves by it', async () => {
    const replica = await join();
    const before = latest(replica).caBundle;
    await clock.advance(243.5 * DAY);
    await until('the announcement', () => latest(replica).caBundle !== before);
    expect(isTrusted(latest(replica), before)).toBe(true);
    await clock.advance(600_000);
    await until('the change', () => !isTrusted(latest(replica), before));
    expect(isTrusted(latest(replica), latest(replica).caBundle)).toBe(true);
  });
});

describe('a Secret', () => {
  test('that somebody emptied is filled again, and everybody follows', async () => {
    const [a, b] = [await join(), await join()];
    const before = latest(a).caBundle;
    const emptied = { ...api.secret, data: {} } as NonNullable<typeof api.secret>;
    await api.asKubeApi().replace({} as never, emptied);
    await until('both follow', () => [a, b].every((one) => latest(one).caBundle !== before));
    await until('both agree', () => latest(a).caBundle === latest(b).caBundle);
    expect(isTrusted(latest(a), latest(b).caBundle)).toBe(true);
  });

  test('that cannot be read for a while is waited for', async () => {
    const broken = api.asKubeApi();
    let fails = 3;
    const get = broken.get.bind(broken);
    broken.get = async (...args) => {
      fails -= 1;
      if (fails >= 0) throw new Error('API server away');
      return get(...args) as never;
    };
    const errors: unknown[] = [];
    const tls = new SelfManagedTls({
      api: broken,
      namespace: 'n',
      secretName: 's',
      hosts: [HOST],
      onError: (error) => errors.push(error),
      clock,
    });
    replicas.push({ tls, served: [], errors });
    const served: ServingCertificate[] = [];
    void tls.start().then((certificate) => served.push(certificate));
    for (let i = 0; i < 3; i++) {
      await until('a failure', () => errors.length === i + 1);
      await clock.advance(2_000);
    }
    await until('it serves', () => served.length === 1);
    expect(errors).toHaveLength(3);
  });
});
