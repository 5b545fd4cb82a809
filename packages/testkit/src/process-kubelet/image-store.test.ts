import { describe, expect, test } from '@jest/globals';
import { ImageStore } from './image-store.js';

const catalogue = { 'good:1': { command: ['x'] }, 'far:1': { command: ['y'], pullMs: 40 } };
const store = () => new ImageStore(catalogue, { baseMs: 10_000, maxMs: 300_000 });
const container = (image: string, imagePullPolicy = 'IfNotPresent') => ({ name: 'c', image, imagePullPolicy });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'pulled',
    (error: { code: string }) => error.code,
  );

describe('the images of a node', () => {
  test.each([
    ['good:1', 'IfNotPresent', 'pulled'],
    ['good:1', 'Never', 'pulled'],
    ['absent:1', 'IfNotPresent', 'ErrImagePull'],
    ['absent:1', 'Never', 'ErrImageNeverPull'],
    ['far:1', 'Never', 'ErrImageNeverPull'],
    ['Bad Name', 'IfNotPresent', 'InvalidImageName'],
    ['', 'IfNotPresent', 'InvalidImageName'],
  ])('%s with policy %s: %s', async (image, policy, outcome) => {
    expect(await codeOf(store().ensure('pod', container(image, policy)))).toBe(outcome);
  });

  test('a pull that failed is backed off for that pod, and tried at once for another', async () => {
    const images = store();
    expect(await codeOf(images.ensure('one', container('absent:1')))).toBe('ErrImagePull');
    expect(await codeOf(images.ensure('one', container('absent:1')))).toBe('ImagePullBackOff');
    expect(await codeOf(images.ensure('two', container('absent:1')))).toBe('ErrImagePull');
  });

  test('an image is pulled once, and is there for every later container, also for one that may not pull', async () => {
    const images = store();
    const begun = performance.now();
    await Promise.all([images.ensure('one', container('far:1')), images.ensure('two', container('far:1'))]);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(39);
    expect(await codeOf(images.ensure('three', container('far:1', 'Never')))).toBe('pulled');
  });

  test('a pull that runs ends with the time that pulls of its image are given meanwhile', async () => {
    const images = store();
    images.slowPulls('good:1', 3_600_000);
    const pulled = Promise.all(['one', 'two'].map((pod) => codeOf(images.ensure(pod, container('good:1')))));
    expect(await codeOf(images.ensure('three', container('good:1', 'Never')))).toBe('ErrImageNeverPull');
    images.slowPulls('good:1', 0);
    expect(await pulled).toEqual(['pulled', 'pulled']);
  });

  test('an image made slow counts as not there, and one made to fail as nowhere', async () => {
    const images = store();
    images.slowPulls('good:1', 10);
    expect(await codeOf(images.ensure('one', container('good:1', 'Never')))).toBe('ErrImageNeverPull');
    expect(await codeOf(images.ensure('one', container('good:1')))).toBe('pulled');
    images.failPulls('good:1', true);
    expect(await codeOf(images.ensure('one', container('good:1')))).toBe('ErrImagePull');
    images.failPulls('good:1', false);
    expect(await codeOf(images.ensure('two', container('good:1')))).toBe('pulled');
  });
});
