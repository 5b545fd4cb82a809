// Holds the tree against ARCHITECTURE.md: which room may import what, and the house rules that a program can check.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const filesBelow = (folder: string): string[] =>
  readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (['node_modules', 'dist', 'testdata', 'build', 'prebuilds'].includes(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(file) : [file];
  });

const roomsIn = (shelf: string): string[] =>
  readdirSync(path.join(root, shelf), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${shelf}/${entry.name}`);

const packages = roomsIn('packages');
const apps = roomsIn('apps');
const isTest = (file: string): boolean => /\.(test|contract)\.ts$/.test(file);
const sourcesOf = (room: string): string[] => filesBelow(`${room}/src`).filter((file) => file.endsWith('.ts'));
const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from\s+|import\s*\(?\s*)['"]([^'"]+)['"]/g)].map((match) => match[1]!);
const manifest = (room: string) =>
  JSON.parse(read(`${room}/package.json`)) as {
    name: string;
    description: string;
    dependencies?: Record<string, string>;
  };

/** What a room's shipped code may import besides its own files, Node's modules and third-party libraries. */
const ALLOWED_OWN: Record<string, string[]> = {
  'packages/core': [],
  'packages/kube': [],
  'packages/phase-queue': [],
  'packages/observability': [],
  'packages/migration-agent': [],
  'packages/controller': ['@sidestep/core'],
};

describe('which way things depend', () => {
  test.each(Object.entries(ALLOWED_OWN))('%s imports no package of ours but %j', (room, allowed) => {
    const own = sourcesOf(room)
      .filter((file) => !isTest(file))
      .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
      .filter(({ target }) => target.startsWith('@sidestep/') && !allowed.includes(target));
    expect(own).toEqual([]);
  });

  test('core imports nothing but its own files, zod and node:crypto, and declares no other dependency', () => {
    const foreign = sourcesOf('packages/core')
      .filter((file) => !isTest(file))
      .flatMap(importsOf)
      .filter((target) => !target.startsWith('.') && target !== 'zod' && target !== 'node:crypto');
    expect(foreign).toEqual([]);
    expect(Object.keys(manifest('packages/core').dependencies ?? {})).toEqual(['zod']);
  });

  test('the migration agent has no runtime dependency at all', () => {
    expect(manifest('packages/migration-agent').dependencies ?? {}).toEqual({});
  });

  test('no package imports an app, and nobody reaches into another package', () => {
    const appNames = apps.map((room) => manifest(room).name);
    const wrong = [...packages, ...apps, 'e2e', 'bench']
      .flatMap(sourcesOf)
      .flatMap((file) => importsOf(file).map((target) => ({ file, target })))
      .filter(
        ({ file, target }) =>
          /^@sidestep\/[a-z-]+\/(src|dist)/.test(target) || (file.startsWith('packages/') && appNames.includes(target)),
      );
    expect(wrong).toEqual([]);
  });

  test('the environment is read in one file per program', () => {
    const readers = [...packages, ...apps]
      .filter((room) => room !== 'packages/testkit')
      .flatMap(sourcesOf)
      .filter((file) => !isTest(file) && /process\.env\b/.test(read(file)))
      .filter(
        (file) => !/^apps\/[a-z-]+\/src\/config\.ts$/.test(file) && file !== 'packages/migration-agent/src/config.ts',
      );
    expect(readers).toEqual([]);
  });

  test('core has no clock, no randomness and no waiting of its own', () => {
    const impure = sourcesOf('packages/core')
      .filter((file) => !isTest(file))
      .filter((file) =>
        /\bDate\.now\(|new Date\(\)|Math\.random\(|\bawait\b|\basync\b|setTimeout\(|process\./.test(read(file)),
      );
    expect(impure).toEqual([]);
  });
});

describe('house rules', () => {
  const sources = [...packages, ...apps, 'e2e', 'bench'].flatMap(sourcesOf);

  test('a file is at most 300 lines, and none is called utils, common or helpers', () => {
    const wrong = sources.filter(
      (file) =>
        /(^|[/.-])(utils?|common|helpers?)([/.-]|$)/.test(file) ||
        (!isTest(file) && read(file).split('\n').length > 301),
    );
    expect(wrong).toEqual([]);
  });

  test('no test is switched off and no code calls itself unfinished', () => {
    const switched = sources.filter((file) => /\b(it|test|describe)\.(skip|only|todo|failing)\b/.test(read(file)));
    const unfinished = sources.filter((file) => !isTest(file) && /\b(TODO|FIXME|not implemented)\b/i.test(read(file)));
    expect([...switched, ...unfinished]).toEqual([]);
  });

  test.each([...packages, ...apps])('%s says in one sentence what it is, in all three places', (room) => {
    const { description } = manifest(room);
    const door = room.startsWith('packages/') ? `${room}/src/index.ts` : `${room}/src/main.ts`;
    expect(read(`${room}/README.md`)).toContain(description);
    expect(read(door)).toContain(`${description}.`);
    expect(read('ARCHITECTURE.md')).toContain(description);
  });

  test.each(packages.filter((room) => room !== 'packages/testkit'))('the door of %s only re-exports', (room) => {
    const code = read(`${room}/src/index.ts`).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const statements = code.split(';').map((statement) => statement.trim());
    expect(statements.filter((statement) => statement !== '' && !statement.startsWith('export'))).toEqual([]);
  });

  test('all packages are released together, at one version', () => {
    const versions = new Set(
      [...packages, ...apps].map((room) => (JSON.parse(read(`${room}/package.json`)) as { version: string }).version),
    );
    expect(versions.size).toBe(1);
    expect(JSON.parse(read('.changeset/config.json')).fixed).toEqual([['@sidestep/*']]);
  });
});
