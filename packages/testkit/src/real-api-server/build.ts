import { fileURLToPath } from 'node:url';
import { buildGoProgram } from '../ensure/go-program.js';
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

/** Compiles kube-apiserver from the pinned modules: about five minutes on two cores the first time, seconds with a warm Go cache. */
export function buildApiServer(target: string, version: string): Promise<string> {
  const program = {
    name: 'kube-apiserver',
    version,
    module: MODULE,
    main: 'k8s.io/kubernetes/cmd/kube-apiserver',
    linkerFlags: linkerFlags(version),
    go: '1.24',
    takes: 'about five minutes',
  };
  return buildGoProgram(program, target).catch((error: Error) => {
    throw new ApiServerBinariesMissing(['kube-apiserver'], error.message);
  });
}
