import { describe, expect, test } from '@jest/globals';
import { defaultPullPolicy, parseImageReference } from './image-reference.js';

const SHA = `sha256:${'a'.repeat(64)}`;

describe('images', () => {
  test.each<[string, ReturnType<typeof parseImageReference>, string]>([
    ['nginx', {}, 'Always'],
    ['nginx:latest', { tag: 'latest' }, 'Always'],
    ['nginx:1.2', { tag: '1.2' }, 'IfNotPresent'],
    [`nginx@${SHA}`, { digest: SHA }, 'IfNotPresent'],
    [`nginx:latest@${SHA}`, { tag: 'latest', digest: SHA }, 'Always'],
    ['registry.local:5000/team/nginx', {}, 'Always'],
    ['registry.local:5000/team/nginx:v1', { tag: 'v1' }, 'IfNotPresent'],
    ['localhost/nginx', {}, 'Always'],
    ['[::1]:5000/nginx', {}, 'Always'],
    ['UPPER/nginx', {}, 'Always'],
    ['team/UPPER', undefined, 'IfNotPresent'],
    ['Nginx', undefined, 'IfNotPresent'],
    ['nginx:bad tag', undefined, 'IfNotPresent'],
    ['nginx@sha256:abc', undefined, 'IfNotPresent'],
    [`nginx@md5:${'a'.repeat(32)}`, undefined, 'IfNotPresent'],
    ['a'.repeat(64), undefined, 'IfNotPresent'],
    ['a'.repeat(256), undefined, 'IfNotPresent'],
    ['', undefined, 'IfNotPresent'],
  ])('%s is read as %j and pulled %s', (image, reference, policy) => {
    expect(parseImageReference(image)).toEqual(reference);
    expect(defaultPullPolicy(image)).toBe(policy);
  });
});
