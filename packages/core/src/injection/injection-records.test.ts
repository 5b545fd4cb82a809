import { describe, expect, test } from '@jest/globals';
import { KRUISE } from '../api/keys.js';
import { InjectionRefused } from './injection-plan.js';
import { injectionRecordsText, readInjectionRecords } from './injection-records.js';

const read = (text: string) => readInjectionRecords(text, KRUISE.hash, 'shop/p');

describe('the hash annotation of a pod', () => {
  test('is written with sets sorted and fields in the order of OpenKruise', () => {
    const entry = { updateTimestamp: '2026-01-02T03:04:05Z', sidecarList: ['m'], controllerRevision: 'r-1' };
    const records = new Map([
      ['b', { ...entry, hash: 'h2', sidecarSetName: 'b' }],
      ['a', { updateTimestamp: null, hash: 'h1', sidecarSetName: 'a', sidecarList: null }],
    ]);
    expect(Object.keys(JSON.parse(injectionRecordsText(records)))).toEqual(['a', 'b']);
    expect(read(injectionRecordsText(records))).toEqual(records);
  });

  test('sorts names that look like numbers by their bytes, as Go does', () => {
    const entry = { updateTimestamp: null, hash: 'h', sidecarList: null };
    const records = new Map(['9', '10', 'a'].map((name) => [name, { ...entry, sidecarSetName: name }]));
    expect([...injectionRecordsText(records).matchAll(/"([^"]+)":\{/g)].map(([, name]) => name)).toEqual([
      '10',
      '9',
      'a',
    ]);
  });

  test('is read in the form that OpenKruise wrote before 0.8', () => {
    const expected = { updateTimestamp: null, hash: 'h', sidecarSetName: 'old', sidecarList: null };
    expect(read('{"old":"h"}')).toEqual(new Map([['old', expected]]));
  });

  test.each([
    [
      'null leaves the zero value',
      '{"hash":null,"updateTimestamp":null,"sidecarList":null,"controllerRevision":null}',
      {},
    ],
    [
      'what is not known is dropped',
      '{"zzz":1,"controllerRevision":"","sidecarList":["a",null]}',
      { sidecarList: ['a', ''] },
    ],
    ['names match in any case', '{"HASH":"h","\u017fidecarSetName":"s"}', { hash: 'h', sidecarSetName: 's' }],
    [
      'the last of several wins, and null changes nothing',
      '{"Hash":"2","HASH":"1","hash":"2","hash":null}',
      { hash: '2' },
    ],
    ['a lone surrogate is what cannot be read', '{"hash":"\\ud800"}', { hash: '\ufffd' }],
  ])('is read as Go reads it: %s', (_, entry, fields) => {
    const record = { updateTimestamp: null, hash: '', sidecarSetName: '', sidecarList: null, ...fields };
    expect(read(`{"old":${entry}}`)).toEqual(new Map([['old', record]]));
  });

  test.each(['', 'null', '{}'])('%j holds no entries', (text) => {
    expect(read(text).size).toBe(0);
  });

  test.each([
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['[]', 'json: cannot unmarshal array into Go value of type map[string]string'],
    ['{"a":1}', 'json: cannot unmarshal number into Go value of type string'],
    ['{"a":{"hash":5}}', 'json: cannot unmarshal object into Go value of type string'],
    ['{"a":{"updateTimestamp":"2024-13-01T00:00:00Z"}}', 'json: cannot unmarshal object into Go value of type string'],
    ['{"a":{"sidecarList":[1]}}', 'json: cannot unmarshal object into Go value of type string'],
    ['{"a":{"updateTimestamp":"yesterday"}}', 'json: cannot unmarshal object into Go value of type string'],
  ])('%s is refused with the message of OpenKruise', (text, detail) => {
    const message = `pod(shop/p) invalid annotations[kruise.io/sidecarset-hash] value ${text}, unmarshal failed: ${detail}`;
    expect(() => read(text)).toThrow(InjectionRefused);
    expect(() => read(text)).toThrow(message);
  });
});
