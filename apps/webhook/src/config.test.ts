import { describe, expect, test } from '@jest/globals';
import { ConfigError, describeConfig, readConfig } from './config.js';

describe('the configuration', () => {
  test('needs nothing to be set', () => {
    expect(readConfig({})).toEqual({
      kubeconfig: '',
      home: undefined,
      namespace: 'kruise-system',
      host: '0.0.0.0',
      port: 9876,
      tlsMode: 'self-managed',
      tlsDir: '/etc/sidestep/tls',
      url: undefined,
      maxInFlight: 512,
      maxMibInFlight: 64,
      healthHost: '0.0.0.0',
      healthPort: 8080,
      logLevel: 'info',
      stopSeconds: 20,
      drainSeconds: 3,
    });
  });

  test('takes an empty variable for one that is not set', () => {
    expect(readConfig({ SIDESTEP_WEBHOOK_PORT: '', SIDESTEP_WEBHOOK_URL: '' })).toMatchObject({
      port: 9876,
      url: undefined,
    });
  });

  test('takes an address with or without a slash at its end', () => {
    expect(readConfig({ SIDESTEP_WEBHOOK_URL: 'https://127.0.0.1:9443/' }).url).toBe('https://127.0.0.1:9443');
  });

  test.each([
    ['SIDESTEP_WEBHOOK_PORT', '70000', 'a port; 0 takes a free one'],
    ['SIDESTEP_WEBHOOK_PORT', '12x', 'a port'],
    ['SIDESTEP_TLS_MODE', 'magic', 'self-managed or files'],
    ['SIDESTEP_WEBHOOK_URL', 'http://127.0.0.1', 'https://host:port'],
    ['SIDESTEP_WEBHOOK_URL', 'https://127.0.0.1/path', 'https://host:port'],
    ['SIDESTEP_NAMESPACE', 'Not_A_Name', 'a namespace name'],
    ['SIDESTEP_LOG_LEVEL', 'loud', 'trace, debug'],
    ['SIDESTEP_MAX_IN_FLIGHT', '0', 'a whole number from 1 to 10000'],
    ['SIDESTEP_MAX_MIB_IN_FLIGHT', '0', 'a whole number from 1 to 65536'],
  ])('refuses %s=%s and says what is allowed', (name, value, allowed) => {
    const read = () => readConfig({ [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`${name}: got "${value}"; allowed: ${allowed}`);
  });

  test('names every variable that is wrong at once', () => {
    const read = () => readConfig({ SIDESTEP_WEBHOOK_PORT: 'x', SIDESTEP_TLS_MODE: 'y' });
    expect(read).toThrow(/SIDESTEP_WEBHOOK_PORT.*\n.*SIDESTEP_TLS_MODE/);
  });

  test('is described with every variable, its default and what is allowed', () => {
    expect(describeConfig()).toMatch(
      /SIDESTEP_WEBHOOK_PORT\n.*\n\s+Allowed: a port; 0 takes a free one. Default: 9876./,
    );
  });
});
