import { describe, expect, test } from '@jest/globals';
import { listenerPlansOf, planListener, planListeners } from './listener-spec.js';

describe('addresses', () => {
  test.each([
    [8080, { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    ['8080', { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    [':8080', { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    ['127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
    ['localhost:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
    ['[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
    ['[0:0:0:0:0:0:0:1]:80', { kind: 'tcp', host: '::1', port: 80 }],
    ['[2001:DB8::0:1]:80', { kind: 'tcp', host: '2001:db8::1', port: 80 }],
    ['[::ffff:127.0.0.1]:80', { kind: 'tcp', host: '::ffff:127.0.0.1', port: 80 }],
    ['tcp:1.2.3.4:5', { kind: 'tcp', host: '1.2.3.4', port: 5 }],
    ['udp:0.0.0.0:53', { kind: 'udp', host: '0.0.0.0', port: 53 }],
    ['unix:/run/a.sock', { kind: 'unix', path: '/run/a.sock' }],
    [
      { path: '/run/a.sock', backlog: 5 },
      { kind: 'unix', path: '/run/a.sock', backlog: 5 },
    ],
    [
      { port: 53, udp: true },
      { kind: 'udp', host: '0.0.0.0', port: 53 },
    ],
    [
      { host: '::', port: 1, ipv6Only: true },
      { kind: 'tcp', host: '::', ipv6Only: true },
    ],
  ])('%j', (spec, plan) => {
    expect(planListener('web', spec)).toMatchObject({ name: 'web', backlog: 4_096, ...plan });
  });

  test.each([
    'everywhere',
    'a:b:c',
    '127.0.0.1:99999',
    'example.com:80',
    '',
    'unix:@app',
    'unix:app.sock',
    '[fe80::1%lo]:80',
  ])('"%s" is none', (spec) => {
    expect(() => planListener('web', spec)).toThrow(/listener "web"/);
  });

  test('a name is letters, digits and three signs', () => {
    expect(() => planListener('we:b', 80)).toThrow('its name must be');
  });
});

describe('several listeners', () => {
  test.each([
    ['of one name', ['web=80', 'web=81'], 'there are two of this name'],
    ['of one address', ['web=80', 'api=0.0.0.0:80'], 'it has the address of "web"'],
    ['of one path', ['web=unix:/run/a', 'api=unix:/run/a'], 'it has the address of "web"'],
  ])('%s are refused', (_, items, said) => {
    expect(() => listenerPlansOf(items)).toThrow(said);
  });

  test('may leave the port to the kernel, and have one port for TCP and UDP', () => {
    expect(listenerPlansOf(['a=127.0.0.1:0', 'b=127.0.0.1:0', 'c=53', 'd=udp:0.0.0.0:53'])).toHaveLength(4);
  });

  test('of a port for both families: the one for IPv6 leaves IPv4 to the other, and alone takes both', () => {
    const only = (items: string[]) => listenerPlansOf(items).map(({ ipv6Only }) => ipv6Only);
    expect(only(['a=80', 'b=[::]:80', 'c=[::]:81', 'd=[::1]:80'])).toEqual([false, true, false, false]);
    expect(only(['b=[::]:53', 'a=udp:0.0.0.0:53'])).toEqual([false, false]);
  });

  test('are at most as many as can be handed over', () => {
    const named = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, '127.0.0.1:0']));
    expect(planListeners(named(1_024))).toHaveLength(1_024);
    expect(() => planListeners(named(1_025))).toThrow('at most 1024');
  });
});
