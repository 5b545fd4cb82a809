import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Where programs that benchmarks compile are kept; this user's alone. */
export function benchFolder(): string {
  const folder = path.join(tmpdir(), `sidestep-bench-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A program of bench/native, compiled once per version of its source. @throws Error when there is no C compiler. */
export function compiled(root: string, name: 'connections' | 'answers'): string {
  const source = path.join(root, `bench/native/${name}.c`);
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const program = path.join(benchFolder(), `${name}-${hash}`);
  if (existsSync(program)) return program;
  const unfinished = `${program}.${process.pid}`;
  const done = spawnSync('cc', ['-O2', '-o', unfinished, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (done.status !== 0) throw new Error('the load program needs a C compiler: apt-get install gcc libc6-dev');
  renameSync(unfinished, program);
  return program;
}
