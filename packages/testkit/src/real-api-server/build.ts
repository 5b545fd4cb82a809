import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { progress, withCacheLock } from '../ensure/cache.js';
import { findOnPath, isExecutable, runCommand } from '../ensure/run-command.js';
import { ApiServerBinariesMissing } from './binaries.js';

/** The Go module that pins every dependency; the same depth below the sources and below their build. */
const MODULE = fileURLToPath(new URL('../../real-api-server-build', import.meta.url));

const STAMPED = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];

/** Without these a server says it is v0.0.0-master, and clients that look at the version go astray. */
function linkerFlags(version: string): string {
  const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
  const stamps = STAMPED.flatMap((name) => [
    `-X ${name}.gitVersion=${version}`,
    `-X ${name}.gitMajor=${major}`,
    `-X ${name}.gitMinor=${minor}`,
  ]);
  return ['-s', '-w', ...stamps].join(' ');
}

const REMINDER_MS = 30_000;

/** Compiles kube-apiserver from the pinned modules: about five minutes on two cores the first time, seconds with a warm Go cache. */
export function buildApiServer(target: string, version: string): Promise<string> {
  return withCacheLock('kube-apiserver', async () => {
    if (await isExecutable(target)) return target;
    const go = await findOnPath('go');
    if (!go) throw missing('Go 1.24 or newer is needed to build it (https://go.dev/dl)');
    progress(
      `building kube-apiserver ${version} with Go: about five minutes on two cores, then cached in ${path.dirname(target)}`,
    );
    await mkdir(path.dirname(target), { recursive: true });
    const started = Date.now();
    const reminder = setInterval(
      () => progress(`  still building kube-apiserver, ${Math.round((Date.now() - started) / 1000)} s`),
      REMINDER_MS,
    );
    try {
      await compile(go, `${target}.part`, version);
    } finally {
      clearInterval(reminder);
    }
    await rename(`${target}.part`, target);
    progress(`built kube-apiserver ${version} in ${Math.round((Date.now() - started) / 1000)} s`);
    return target;
  });
}

async function compile(go: string, target: string, version: string): Promise<void> {
  const args = [
    'build',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags',
    linkerFlags(version),
    '-o',
    target,
  ];
  const built = await runCommand(go, [...args, 'k8s.io/kubernetes/cmd/kube-apiserver'], {
    cwd: MODULE,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
  });
  if (built.code !== 0) throw missing(`go build failed: ${built.complaint}`);
}

const missing = (why: string): ApiServerBinariesMissing => new ApiServerBinariesMissing(['kube-apiserver'], why);
