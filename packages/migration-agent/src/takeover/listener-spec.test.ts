import { describe, expect, test } from '@jest/globals';
import { planListener } from './listener-spec.js';

describe('addresses', () => {
  test.each([
    [8080, { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    ['8080', { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    [':8080', { kind: 'tcp', host: '0.0.0.0', port: 8080 }],
    ['127.0.0.1:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
    ['localhost:80', { kind: 'tcp', host: '127.0.0.1', port: 80 }],
    ['[::1]:80', { kind: 'tcp', host: '::1', port: 80 }],
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

  test.each(['everywhere', 'a:b:c', '127.0.0.1:99999', 'example.com:80', ''])('"%s" is none', (spec) => {
    expect(() => planListener('web', spec)).toThrow(/listener "web"/);
  });

  test('a name is letters, digits and three signs', () => {
    expect(() => planListener('we:b', 80)).toThrow('its name must be');
  });
});
