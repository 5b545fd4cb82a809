import { describe, expect, test } from '@jest/globals';
import { ConfigError, describeConfig, readConfig } from './config.js';

const messageOf = (environment: Record<string, string>): string => {
  try {
    readConfig(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
};

describe('the configuration of the upgrade worker', () => {
  test('needs nothing to be set', () => {
    expect(readConfig({})).toMatchObject({
      role: 'all',
      queue: 'redis',
      redisUrl: 'redis://127.0.0.1:6379',
      namespace: 'kruise-system',
      concurrency: 6,
      managedFields: 'release',
      healthPort: 8081,
      leaseSeconds: 15,
    });
  });

  test('takes every variable', () => {
    const config = readConfig({
      SIDESTEP_ROLE: 'worker',
      REDIS_URL: 'rediss://redis.shop:6380',
      KUBECONFIG: '/etc/kube',
      SIDESTEP_NAMESPACE: 'upgrades',
      SIDESTEP_WORKER_CONCURRENCY: '4',
      SIDESTEP_POD_MANAGED_FIELDS: 'keep',
      SIDESTEP_KUBE_QPS: '7',
      SIDESTEP_KUBE_BURST: '9',
      SIDESTEP_HEALTH_HOST: '127.0.0.1',
      SIDESTEP_HEALTH_PORT: '0',
      SIDESTEP_LOG_LEVEL: 'debug',
      POD_NAME: 'worker-0',
    });
    expect(config).toMatchObject({
      role: 'worker',
      redisUrl: 'rediss://redis.shop:6380',
      kubeconfig: '/etc/kube',
      namespace: 'upgrades',
      concurrency: 4,
      managedFields: 'keep',
      kubeQps: 7,
      kubeBurst: 9,
      healthHost: '127.0.0.1',
      healthPort: 0,
      logLevel: 'debug',
      instance: 'worker-0',
    });
  });

  test('takes an empty variable for one that is not set', () => {
    expect(readConfig({ SIDESTEP_ROLE: '', REDIS_URL: '' }).role).toBe('all');
  });

  test.each([
    ['SIDESTEP_ROLE', 'boss', 'planner, worker or all'],
    ['SIDESTEP_WORKER_CONCURRENCY', '0', 'a whole number from 1 to 1000'],
    ['SIDESTEP_POD_MANAGED_FIELDS', 'drop', 'release or keep'],
    ['SIDESTEP_WORKER_CONCURRENCY', 'many', 'a whole number from 1 to 1000'],
    ['SIDESTEP_HEALTH_PORT', '65536', 'a port'],
    ['SIDESTEP_LOG_LEVEL', 'loud', 'trace, debug, info'],
    ['SIDESTEP_NAMESPACE', 'Not A Name', 'a namespace name'],
  ])('names %s, what it got (%s) and what is allowed', (name, value, allowed) => {
    const message = messageOf({ [name]: value });
    expect(message).toContain(`${name}: got "${value}"; allowed: ${allowed}`);
  });

  test('has a line for every variable that is wrong', () => {
    expect(messageOf({ SIDESTEP_ROLE: 'boss', SIDESTEP_KUBE_QPS: 'fast' }).split('\n')).toHaveLength(2);
  });

  test('never shows what may hold a password', () => {
    const message = messageOf({ REDIS_URL: 'http://user:secret@redis' });
    expect(message).toContain('REDIS_URL');
    expect(message).not.toContain('secret');
  });

  test.each(['planner', 'worker'])(
    'refuses a queue in memory for the role %s, whose jobs nobody else would see',
    (role) => {
      expect(messageOf({ SIDESTEP_ROLE: role, SIDESTEP_QUEUE: 'memory' })).toContain('SIDESTEP_QUEUE: got "memory"');
      expect(readConfig({ SIDESTEP_ROLE: 'all', SIDESTEP_QUEUE: 'memory' }).queue).toBe('memory');
    },
  );

  test('is told in full by --help', () => {
    for (const name of ['SIDESTEP_ROLE', 'REDIS_URL', 'SIDESTEP_KUBE_BURST', 'KUBECONFIG']) {
      expect(describeConfig()).toContain(`  ${name}\n`);
    }
  });
});
