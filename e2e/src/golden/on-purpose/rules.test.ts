import { describe, expect, test } from '@jest/globals';
import type { Container, Pod, SidecarSet } from '@sidestep/core';
import { judgeInTurn } from '../judge.js';
import type { CaseFacts } from './rule.js';
import { ON_PURPOSE } from './rules.js';

type Facts = Partial<Omit<CaseFacts, 'earlier'>>;

/** What is left of a difference, and the rules that explained it. */
function verdict(expected: unknown, actual: unknown, facts: Facts = {}) {
  const comparison = { subject: 'x', expected, actual };
  const [judged] = judgeInTurn([{ comparison, facts: { sidecarSets: [], ...facts } }], ON_PURPOSE);
  return { left: judged!.differences.map(({ path }) => path), rules: judged!.onPurpose };
}

const explained = (rule: string) => ({ left: [], rules: [rule] });

function aSet(name: string, spec: SidecarSet['spec']): SidecarSet {
  return { metadata: { name }, spec };
}

const marked = (name: string): Container => ({ name, env: [{ name: 'IS_INJECTED', value: 'true' }] });
const pod = (...containers: Container[]) => ({ allowed: true, patched: { metadata: {}, spec: { containers } } });
const sets = [aSet('a', {}), aSet('b', {})];

describe('on purpose', () => {
  test('a refusal has another code, and only with the same message', () => {
    const refusal = (status: number, message: string) => ({ status, message });
    expect(verdict(refusal(500, 'no'), refusal(422, 'no'))).toEqual(explained('refusals are 422'));
    expect(verdict(refusal(500, 'no'), refusal(422, 'never')).left).toEqual(['/message']);
    const answer = (code: number) => ({ allowed: false, status: { message: 'no', code } });
    expect(verdict(answer(500), answer(422))).toEqual(explained('refusals are 422'));
    expect(verdict(answer(500), answer(400)).left).toEqual(['/status/code']);
  });

  test('the marker stands once, as the last of its name', () => {
    const twice = { name: 'm', env: [{ name: 'IS_INJECTED', value: 'x' }, ...marked('m').env!] };
    expect(verdict(pod(twice), pod(marked('m')))).toEqual(explained('IS_INJECTED is not repeated'));
    expect(verdict(pod(marked('m')), pod({ name: 'm', env: [] })).left).toEqual(['/patched/spec/containers/0(m)/env']);
  });

  test('sidecars of several sets have an order, but keep their side of the app', () => {
    const app = { name: 'app' };
    const [a, b] = [marked('a'), marked('b')];
    const rule = 'SidecarSets apply in the order of their names';
    expect(verdict(pod(b, a, app), pod(a, b, app), { sidecarSets: sets })).toEqual(explained(rule));
    expect(verdict(pod(a, app, b), pod(a, b, app), { sidecarSets: sets }).left).not.toEqual([]);
    expect(verdict(pod(b, a, app), pod(a, b, app), { sidecarSets: [sets[0]!] }).left).not.toEqual([]);
  });

  test('the dice of policy Partial may fall otherwise', () => {
    const injectionStrategy = { revision: { revisionName: 'r', policy: 'Partial' } };
    const partial = (partition: number | string) => aSet('a', { injectionStrategy, updateStrategy: { partition } });
    const [old, latest] = ['old', 'new'].map((image) => pod({ ...marked('m'), image }));
    expect(verdict(old, latest, { sidecarSets: [partial('30%')] })).toEqual(
      explained('policy Partial is stable per pod'),
    );
    expect(verdict(old, latest, { sidecarSets: [partial(0)] }).left).not.toEqual([]);
  });

  describe('conflicts between SidecarSets', () => {
    const refused = { status: 500, message: 'spec.containers: Invalid value: "m": container m already exist in a' };
    const accepted = { status: 201, stored: {} };
    const labelled = (labels: Record<string, string>, namespace: string) =>
      aSet(namespace, { selector: { matchLabels: labels }, namespace });
    const apart = [labelled({ app: 'x' }, 'one'), labelled({ app: 'x' }, 'two')];
    const together = [labelled({ app: 'x' }, 'one'), labelled({ tier: 'y' }, 'one')];

    test('are told exactly, in both directions', () => {
      const rule = 'selectors overlap exactly';
      expect(verdict(refused, accepted, { sidecarSets: apart })).toEqual(explained(rule));
      expect(verdict(accepted, { ...refused, status: 422 }, { sidecarSets: together })).toEqual(explained(rule));
      expect(verdict(refused, accepted, { sidecarSets: together }).left).not.toEqual([]);
      expect(verdict(accepted, { ...refused, status: 422 }, { sidecarSets: apart }).left).not.toEqual([]);
    });

    test('include the names of hot pairs', () => {
      const containers = [{ name: 'mesh', upgradeStrategy: { upgradeType: 'HotUpgrade' } }];
      const clash = (name: string) => ({ status: 422, message: `spec.containers[1].name: Duplicate value: "${name}"` });
      const facts = { sidecarSets: [aSet('a', { containers })] };
      expect(verdict(accepted, clash('mesh-2'), facts)).toEqual(explained('names of hot pairs are checked'));
      expect(verdict(accepted, clash('log'), facts).left).not.toEqual([]);
    });
  });

  test('a revision of another SidecarSet is refused', () => {
    const refused = {
      allowed: false,
      status: { message: 'ControllerRevision x-1 does not belong to SidecarSet a', code: 422 },
    };
    const rule = 'revisions of other SidecarSets are refused';
    expect(verdict(pod(marked('m')), refused, { sidecarSets: sets })).toEqual(explained(rule));
    expect(verdict(pod(marked('m')), refused, { sidecarSets: [sets[0]!] }).left).not.toEqual([]);
  });

  test('what a conversion would lose is kept in an annotation', () => {
    const stored = (annotations: Record<string, string>) => {
      const set = { metadata: { name: 'a', annotations }, spec: {} };
      return {
        status: 201,
        stored: { v1beta1: set, v1alpha1: set },
        controllerRevisions: [{ name: 'a-1', annotations }],
      };
    };
    const kept = stored({ h: '1', 'sidestep.dev/conversion': '{}' });
    expect(verdict(stored({ h: '1' }), kept)).toEqual(explained('conversion loses nothing'));
    expect(verdict(stored({ h: '2' }), kept).left).not.toEqual([]);
  });
});

describe('on purpose, a write to a hot pod', () => {
  const WORKING = 'kruise.io/sidecarset-working-hotupgrade-container';
  const set = aSet('s', {
    containers: [
      { name: 'm', image: 'm:1', upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e' } },
    ],
  });
  const hotPod = (first: string, second: string, working: string): Pod => ({
    metadata: { annotations: { [WORKING]: JSON.stringify({ m: working }) } },
    spec: {
      containers: [
        { name: 'm-1', image: first },
        { name: 'm-2', image: second },
      ],
    },
  });
  const write = (before: Pod, ours: Pod, reason = 'x') => ({ write: { before, ours, set, reason } });
  const facts = (before: Pod, ours: Pod, reason?: string) => write(before, ours, reason);

  test('finishes the reset of a pod that has migrated before the spec went back', () => {
    const before = hotPod('m:1', 'm:2', 'm-2');
    const rule = 'a pod that has migrated is reset before it goes back';
    const [theirs, ours] = [{ due: 'upgrade' }, { due: 'reset' }];
    expect(verdict(theirs, ours, facts(before, hotPod('e', 'm:2', 'm-2')))).toEqual(explained(rule));
    expect(verdict(theirs, ours, facts(before, hotPod('m:1', 'e', 'm-2'))).left).not.toEqual([]);
  });

  test('gives a new tag to the same digest, and to no other', () => {
    const images = (image: string) => ({ due: 'reset', containers: [{ name: 'm-1', image }] });
    const rule = 'an image given by digest gets a tag per generation';
    expect(verdict(images('e@sha256:1'), images('e:g7@sha256:1'))).toEqual(explained(rule));
    expect(verdict(images('e@sha256:1'), images('e:g7@sha256:2')).left).not.toEqual([]);
  });

  test('waits where the kubelet would hold the container back', () => {
    const before = hotPod('m:1', 'e', 'm-1');
    const [theirs, ours] = [{ due: 'upgrade' }, { due: 'none' }];
    expect(verdict(theirs, ours, facts(before, before, 'BackOffExpected'))).toEqual(explained('back-off is foreseen'));
    expect(verdict(theirs, ours, facts(before, before, 'Other')).left).not.toEqual([]);
  });
});
