import { describe, expect, test } from '@jest/globals';
import { lookupOf } from '../../revision/find-revision.js';
import { defaultSidecarSet } from '../defaults/sidecarset.js';
import { formatFieldError, formatFieldErrors } from '../field-error.js';
import { KRUISE } from '../keys.js';
import type { ControllerRevision, LabelSelector } from '../kubernetes.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../sidecarset.js';
import { Whitelist } from '../whitelist.js';
import { type ValidationContext, validateSidecarSet } from './sidecarset.js';

const MESH: SidecarContainer = { name: 'mesh', image: 'mesh:1' };

function aSet(spec: SidecarSetSpec = {}, metadata: SidecarSet['metadata'] = {}): SidecarSet {
  return defaultSidecarSet({
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name: 'mesh-set', ...metadata },
    spec: { selector: { matchLabels: { app: 'shop' } }, containers: [MESH], ...spec },
  });
}

function problems(set: SidecarSet, context: Partial<ValidationContext> = {}): string {
  return formatFieldErrors(validateSidecarSet(set, { others: [], revisions: lookupOf([]), ...context }));
}

const hot = (name: string): SidecarContainer => ({
  name,
  image: 'mesh:1',
  upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'idle:1' },
});

describe('rules for Sidestep’s own fields', () => {
  test.each<[string, SidecarSetSpec, string]>([
    [
      'onNameConflict',
      { injectionStrategy: { onNameConflict: 'Ignore' as 'Reject' } },
      'spec.injectionStrategy.onNameConflict: Unsupported value: "Ignore": supported values: "Overwrite", "Reject"',
    ],
    [
      'progressDeadlineSeconds',
      { updateStrategy: { progressDeadlineSeconds: 0 } },
      'spec.updateStrategy.progressDeadlineSeconds: Invalid value: 0: must be greater than or equal to 1',
    ],
    [
      'minReadySeconds',
      { updateStrategy: { minReadySeconds: -1 } },
      'spec.updateStrategy.minReadySeconds: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'failurePolicy',
      {
        updateStrategy: { failurePolicy: { maxFailures: -1, podAction: 'Kill' as 'Keep', action: 'Stop' as 'Pause' } },
      },
      '[spec.updateStrategy.failurePolicy.maxFailures: Invalid value: -1: must be greater than or equal to 0, ' +
        'spec.updateStrategy.failurePolicy.podAction: Unsupported value: "Kill": supported values: "Abort", "Keep", ' +
        'spec.updateStrategy.failurePolicy.action: Unsupported value: "Stop": supported values: "Pause", "Rollback"]',
    ],
    [
      'a step that is no number',
      { updateStrategy: { steps: [{ pods: 'many' }] } },
      'spec.updateStrategy.steps[0].pods: Invalid value: intstr.IntOrString{Type:1, IntVal:0, StrVal:"many"}: ' +
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
    [
      'a step below the one before it',
      { updateStrategy: { steps: [{ pods: 5 }, { pods: '10%' }, { pods: 3 }, { pods: '5%' }] } },
      '[spec.updateStrategy.steps[2].pods: Invalid value: 3: must not be less than the step before it, ' +
        'spec.updateStrategy.steps[3].pods: Invalid value: "5%": must not be less than the step before it]',
    ],
    [
      'a step of more than everything',
      { updateStrategy: { steps: [{ pods: '101%' }] } },
      'spec.updateStrategy.steps[0].pods: Invalid value: "101%": must be no more than 100%',
    ],
    [
      'a pause that lasts less than nothing',
      { updateStrategy: { steps: [{ pods: 1, pause: { seconds: -1 } }] } },
      'spec.updateStrategy.steps[0].pause.seconds: Invalid value: -1: must be greater than or equal to 0',
    ],
  ])('refuse a wrong %s', (_, spec, message) => {
    expect(problems(aSet(spec))).toBe(message);
  });

  test('let everything through that spec.updateStrategy documents', () => {
    const updateStrategy: SidecarSetSpec['updateStrategy'] = {
      progressDeadlineSeconds: 300,
      failurePolicy: { maxFailures: '5%', podAction: 'Keep', action: 'Rollback' },
      steps: [
        { pods: 1, pause: { seconds: 60 } },
        { pods: '25%', pause: {} },
      ],
      minReadySeconds: 10,
      prePull: true,
      nativeSidecars: 'InPlace',
    };
    const initContainers = [{ name: 'native', image: 'n:1', restartPolicy: 'Always' }];
    expect(problems(aSet({ updateStrategy, initContainers, injectionStrategy: { onNameConflict: 'Reject' } }))).toBe(
      '',
    );
  });

  test('allow the upgrade of native sidecars only where it is asked for', () => {
    const initContainers = [{ name: 'native', image: 'n:1', restartPolicy: 'Always' }];
    expect(problems(aSet({ initContainers }))).toContain('in-place upgrade is not currently supported');
    expect(problems(aSet({ initContainers, updateStrategy: { type: 'NotUpdate' } }))).toBe('');
  });
});

describe('conflicts with other SidecarSets', () => {
  const other = (spec: SidecarSetSpec, selector: LabelSelector = { matchLabels: { tier: 'web' } }): SidecarSet =>
    aSet({ selector, ...spec }, { name: 'other' });

  test.each<[string, SidecarSetSpec, SidecarSet, string]>([
    ['the same container', {}, other({}), 'container mesh already exist in other'],
    [
      'a hot pair and a container',
      { containers: [hot('mesh')] },
      other({ containers: [{ ...MESH, name: 'mesh-2' }] }),
      'container mesh already exist in other',
    ],
    [
      'a container and a hot pair',
      { containers: [{ ...MESH, name: 'mesh-1' }] },
      other({ containers: [hot('mesh')] }),
      'container mesh-1 already exist in other',
    ],
    [
      'selectors that only look disjoint',
      {},
      other({}, { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }),
      'container mesh already exist in other',
    ],
  ])('are found for %s', (_, spec, rival, detail) => {
    expect(problems(aSet(spec), { others: [rival] })).toContain(detail);
  });

  test.each<[string, SidecarSetSpec, SidecarSet]>([
    ['itself', {}, aSet()],
    ['disjoint selectors', {}, other({}, { matchLabels: { app: 'bank' } })],
    [
      'disjoint namespaces',
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'a' } } },
      other({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'b' } } }),
    ],
    [
      'equal volumes',
      { containers: [{ ...MESH, name: 'x' }], volumes: [{ name: 'v', emptyDir: {} }] },
      other({ volumes: [{ name: 'v', emptyDir: {} }] }),
    ],
    [
      'an init container of the same name',
      { containers: [{ ...MESH, name: 'x' }] },
      other({ containers: [], initContainers: [{ name: 'x', image: 'x:1' }] }),
    ],
  ])('are not seen in %s', (_, spec, rival) => {
    expect(problems(aSet(spec), { others: [rival] })).toBe('');
  });
});

describe('canary SidecarSets', () => {
  const canary = (base: string, spec: SidecarSetSpec = { updateStrategy: { type: 'NotUpdate' } }): SidecarSet =>
    aSet(spec, { name: 'canary', annotations: { [KRUISE.canary]: 'true', [KRUISE.canaryBase]: base } });

  test('share containers with their base, which does not change as long as they are there, as in OpenKruise', () => {
    const base = aSet();
    expect(problems(canary('mesh-set'), { others: [base] })).toBe('');
    const clash = 'spec.containers: Invalid value: "mesh": container mesh already exist in canary';
    expect(problems(base, { others: [canary('mesh-set')] })).toContain(clash);
    expect(problems(base, { old: base, others: [canary('mesh-set')] })).toContain(clash);
    expect(problems(base, { others: [canary('other-set')] })).toContain(clash);
  });

  test('leave a base alone that has no container of theirs', () => {
    const second = canary('mesh-set', {
      updateStrategy: { type: 'NotUpdate' },
      containers: [{ name: 'other', image: 'other:v1' }],
    });
    expect(problems(aSet(), { others: [second] })).toBe('');
  });

  test.each<[string, SidecarSet, SidecarSet[], string]>([
    ['themselves as base', canary('canary'), [], 'base sidecarSet cannot be itself'],
    ['no base', canary(''), [], 'base sidecarSet cannot be empty'],
    [
      'a base that does not exist',
      canary('gone'),
      [],
      'fetch base sidecarSet[gone] failed: SidecarSet.apps.kruise.io "gone" not found',
    ],
    [
      'a canary as base',
      canary('second'),
      [{ ...canary('mesh-set'), metadata: { ...canary('mesh-set').metadata, name: 'second' } }],
      'base sidecarSet cannot be canary sidecarSet',
    ],
    ['rolling updates', canary('mesh-set', {}), [aSet()], 'RollingUpdate is not supported for canary sidecarSet'],
  ])('may not have %s', (_, set, others, detail) => {
    expect(problems(set, { others })).toContain(detail);
  });

  test('keep their base', () => {
    const others = [aSet(), aSet({}, { name: 'second' })];
    expect(problems(canary('second'), { others, old: canary('mesh-set') })).toContain('base sidecarSet is immutable');
  });
});

describe('a pinned revision', () => {
  const revision = (uid: string): ControllerRevision => ({
    metadata: {
      name: 'mesh-set-abc',
      labels: { [KRUISE.revisionSidecarSetName]: 'mesh-set', [KRUISE.customVersion]: 'v1' },
      ownerReferences: [
        { apiVersion: 'apps.kruise.io/v1beta1', kind: 'SidecarSet', name: 'mesh-set', uid, controller: true },
      ],
    },
    revision: 1,
  });
  const pinned = (revisionName: string) => aSet({ injectionStrategy: { revision: { revisionName } } }, { uid: 'u1' });

  test('must belong to the set', () => {
    expect(problems(pinned('mesh-set-abc'), { revisions: lookupOf([revision('u1')]) })).toBe('');
    expect(problems(pinned('mesh-set-abc'), { revisions: lookupOf([revision('u2')]) })).toContain('not found');
  });

  test('is found by the newest that has the custom version', () => {
    const set = aSet({ injectionStrategy: { revision: { customVersion: 'v1' } } }, { uid: 'u1' });
    expect(problems(set, { revisions: lookupOf([revision('u1')]) })).toBe('');
  });
});

describe('patchPodMetadata', () => {
  const set = aSet({ patchPodMetadata: [{ annotations: { 'team.io/x': '1' } }] }, { labels: { team: 'a' } });
  const whitelist = (rules: unknown) =>
    Whitelist.parse({ [KRUISE.whitelistConfigMapKey]: typeof rules === 'string' ? rules : JSON.stringify({ rules }) });

  const unreadable = (problem: string) =>
    `SidecarSet patch metadata whitelist cannot be read: SidecarSet_PatchPodMetadata_WhiteList of ConfigMap kruise-configuration: ${problem}; it is JSON such as {"rules":[{"selector":{"matchLabels":{}},"allowedAnnotationKeyExprs":["^regular expression$"]}]}`;

  test.each<[string, ReturnType<typeof whitelist>, string]>([
    ['no ConfigMap', Whitelist.parse(undefined), 'SidecarSet patch metadata whitelist not found'],
    ['a ConfigMap without the key', Whitelist.parse({ other: '' }), 'SidecarSet patch metadata whitelist not found'],
    ['no rules', whitelist([]), 'sidecarSet patch metadata annotation is not allowed'],
    [
      'rules for other sets',
      whitelist([{ selector: { matchLabels: { team: 'b' } }, allowedAnnotationKeyExprs: ['.*'] }]),
      'sidecarSet patch metadata annotation is not allowed',
    ],
    [
      'other annotations',
      whitelist([{ allowedAnnotationKeyExprs: ['^b'] }]),
      'sidecarSet patch metadata annotation(team.io/x) is not allowed',
    ],
    [
      'a wrong expression',
      whitelist([{ allowedAnnotationKeyExprs: ['['] }]),
      'error parsing regexp: missing closing ]: `[`',
    ],
    ['half of JSON', whitelist('{'), unreadable('unexpected end of JSON input')],
    ['no JSON', whitelist('{rules'), unreadable("invalid character 'r' looking for beginning of object key string")],
    ['nothing', whitelist(''), unreadable('unexpected end of JSON input')],
    ['a list', whitelist('[]'), unreadable('it must be an object')],
    ['another form', whitelist({ a: 1 }), unreadable('rules must be a list')],
    ['a rule that is a text', whitelist(['^a$']), unreadable('rules[0] must be an object')],
    [
      'several faults',
      whitelist([{ allowedAnnotationKeyExprs: [1] }, { selector: { matchLabels: { a: 1 } } }]),
      unreadable(
        'rules[0].allowedAnnotationKeyExprs[0] must be a text, rules[1].selector.matchLabels.a must be a text',
      ),
    ],
    [
      'half a requirement',
      whitelist([{ selector: { matchExpressions: [{ key: 'a' }] } }]),
      unreadable('rules[0].selector.matchExpressions[0].operator must be a text'),
    ],
  ])('is refused with %s', (_, list, message) => {
    expect(problems(set, { whitelist: list })).toContain(`spec.patchPodMetadata: Required value: ${message}`);
  });

  test('is allowed by any rule that speaks of the set', () => {
    const list = whitelist([
      { selector: { matchLabels: { team: 'b' } }, allowedAnnotationKeyExprs: ['^nothing$'] },
      { selector: { matchLabels: { team: 'a' } }, allowedAnnotationKeyExprs: ['^team\\.io/.*$'] },
    ]);
    expect(problems(set, { whitelist: list })).toBe('');
  });
});

describe('field errors', () => {
  test('are printed as Go prints them', () => {
    const error = { type: 'FieldValueInvalid', field: 'a', value: '"b"', detail: 'c' } as const;
    expect(formatFieldError(error)).toBe('a: Invalid value: "b": c');
    expect(formatFieldErrors([])).toBe('');
    expect(formatFieldErrors([error, error])).toBe('a: Invalid value: "b": c');
    expect(formatFieldErrors([error, { ...error, field: 'd' }])).toBe(
      '[a: Invalid value: "b": c, d: Invalid value: "b": c]',
    );
  });
});
