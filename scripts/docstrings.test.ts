// Every export of core is documented where editors and dist/*.d.ts show it: directly before the declaration.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const source = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../packages/core/src');

const REEXPORT = /^export (?:type )?(\*|\{[^}]*\}) from '([^']+)';/gm;
const DECLARATION =
  /^export (?:declare |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) ([\w$]+)/gm;

interface Export {
  name: string;
  isDocumented: boolean;
}

/** What a file exports, itself or from its neighbours. Throws at an export of a form that is not known here. */
function exportsOf(file: string, read: (file: string) => string): Export[] {
  const text = read(file);
  const own = [...text.matchAll(DECLARATION)].map(({ 1: name = '', index }) => ({
    name,
    isDocumented: endsInDocstring(text.slice(0, index)),
  }));
  const forwarded = [...text.matchAll(REEXPORT)].map(([, list = '', target = '']) => {
    const all = exportsOf(path.join(path.dirname(file), target.replace(/\.js$/, '.ts')), read);
    return list === '*'
      ? all
      : namesIn(list).map((name) => all.find((each) => each.name === name) ?? unknown(file, name));
  });
  const understood = own.length + forwarded.length;
  if (understood !== text.match(/^export\b/gm)?.length)
    throw new Error(`${file} has an export of a form not known here`);
  return [...own, ...forwarded.flat()];
}

const namesIn = (list: string): string[] =>
  list
    .slice(1, -1)
    .split(',')
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '');

function unknown(file: string, name: string): never {
  throw new Error(`${file} forwards ${name}, which cannot be found`);
}

/** True where a docstring with words in it ends on the line before. */
function endsInDocstring(text: string): boolean {
  const start = text.lastIndexOf('/**');
  return start !== -1 && /^\/\*\*(?:(?!\*\/)[\s\S])*\w{2}(?:(?!\*\/)[\s\S])*\*\/\n$/.test(text.slice(start));
}

const undocumented = (all: Export[]): string[] => all.filter((each) => !each.isDocumented).map(({ name }) => name);

describe('docstrings', () => {
  test('every export of core says what it is for', () => {
    const all = exportsOf('index.ts', (file) => readFileSync(path.join(source, file), 'utf8'));
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['SidecarSet', 'planInjection', 'GoRegexpError']),
    );
    expect(undocumented(all)).toEqual([]);
  });

  test.each([
    ['nothing', 'export const a = 1;'],
    ['an empty docstring', '/** */\nexport const a = 1;'],
    ['a plain comment', '// What it is.\nexport interface a {}'],
    ['the docstring of the file', '/** The file. */\n\nexport class a {}'],
    ['the docstring of another', '/** Another. */\nconst b = 1;\nexport function a() {}'],
  ])('an export with %s has none', (_, text) => {
    expect(undocumented(exportsOf('a.ts', () => text))).toEqual(['a']);
  });

  test('of what is forwarded by name only the named need one', () => {
    const files: Record<string, string> = {
      'index.ts': "export { a, type b } from './x/deep.js';",
      'x/deep.ts': '/** Is one. */\nexport const a = 1;\nexport type b = 2;\nexport type c = 3;',
    };
    expect(undocumented(exportsOf('index.ts', (file) => files[file]!))).toEqual(['b']);
  });

  test('an export of another form is not passed over', () => {
    expect(() => exportsOf('a.ts', () => 'const a = 1;\nexport { a };')).toThrow('a form not known');
  });
});
