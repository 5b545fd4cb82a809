import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { adapterNamed } from '../adapters/registry.js';
import { type Choices, containerfile, sidecarSet } from '../init/print.js';
import { RECIPES } from '../init/recipe.js';

const ONLY = ['sidecarset', 'containerfile'];

/** Prints what a sidecar of one kind needs, as comments and YAML that can be applied as they are. */
export async function initCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      adapter: { type: 'string' },
      only: { type: 'string' },
      name: { type: 'string' },
      image: { type: 'string' },
      'empty-image': { type: 'string' },
    },
  });
  if (values.adapter === undefined)
    throw new TypeError(`init needs --adapter; allowed are ${Object.keys(RECIPES).join(', ')}`);
  const { name: adapter } = adapterNamed(values.adapter);
  const recipe = RECIPES[adapter];
  if (!recipe)
    throw new TypeError(`there is nothing to print for "${adapter}"; allowed are ${Object.keys(RECIPES).join(', ')}`);
  if (values.only !== undefined && !ONLY.includes(values.only)) {
    throw new TypeError(`--only is "${values.only}"; allowed are ${ONLY.join(', ')}`);
  }
  const choices = chosen(adapter, values.name ?? adapter, values.image, values['empty-image']);
  if (values.only !== 'sidecarset') process.stdout.write(containerfile(choices, recipe));
  // A line by which the two can be told apart, and a separator of YAML documents.
  if (values.only === undefined) process.stdout.write('---\n');
  if (values.only !== 'containerfile') process.stdout.write(sidecarSet(choices, recipe));
  return 0;
}

function chosen(adapter: string, name: string, image: string | undefined, emptyImage: string | undefined): Choices {
  // The hot pair is called NAME-1 and NAME-2, and a container's name has 63 characters at most.
  if (!/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/.test(name)) {
    throw new TypeError(`--name is "${name}"; allowed are lower case letters, digits and "-", at most 53`);
  }
  const version = ownVersion();
  return {
    adapter,
    name,
    image: imageNamed('--image', image ?? `${name}:v1`),
    emptyImage: imageNamed('--empty-image', emptyImage ?? `sidestep/custodian:${version}`),
    agentImage: `sidestep/agent:${version}`,
  };
}

/** It becomes a plain YAML scalar and a word of a Containerfile. */
function imageNamed(option: string, image: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(image)) return image;
  throw new TypeError(`${option} is "${image}"; allowed is the name of an image`);
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
