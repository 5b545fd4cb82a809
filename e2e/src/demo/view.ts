import pc from 'picocolors';

// Always coloured: the recorded picture wants the colours even where the terminal does not.
const colors = pc.createColors(true);

/** What one pod looks like at one moment. */
export interface PodRow {
  name: string;
  /** `idle`, `upgrading`, `migrated`, `resetting`, `failed`, `starting`. */
  state: string;
  /** The sidecar version that answers, by the working container's image. */
  version: string;
  target: boolean;
  reason: string;
}

export interface LoadRow {
  rps: number;
  served: number;
  lost: number;
  killedInFlight: number;
  p99Ms: number;
  maxGapMs: number;
}

export interface DemoView {
  title: string;
  image: string;
  condition: string;
  pods: PodRow[];
  load: LoadRow;
  elapsedMs: number;
  notes: string[];
}

const ICONS: Record<string, string> = {
  starting: colors.dim('○'),
  idle: colors.dim('●'),
  done: colors.green('✔'),
  upgrading: colors.yellow('▲'),
  migrated: colors.cyan('⇄'),
  resetting: colors.cyan('↻'),
  failed: colors.red('✖'),
};

const bar = (done: number, total: number, width: number): string => {
  const filled = total === 0 ? 0 : Math.round((done / total) * width);
  return colors.green('█'.repeat(filled)) + colors.dim('░'.repeat(width - filled));
};

const podLine = (pod: PodRow, last: boolean): string => {
  const shown = pod.state === 'idle' && pod.target ? 'done' : pod.state;
  const version = pod.target ? colors.green(pod.version) : pod.version;
  return `  ${last ? '└' : '├'}─ ${ICONS[shown] ?? ' '} ${pod.name.padEnd(10)} ${version.padEnd(pod.target ? 18 : 8)} ${pod.state.padEnd(10)} ${colors.dim(pod.reason)}`;
};

const MAX_PODS_SHOWN = 24;

/** The screen, line by line; pure. */
export const renderView = (view: DemoView): string[] => {
  const done = view.pods.filter((pod) => pod.target && pod.state === 'idle').length;
  const { load } = view;
  const lost = load.lost === 0 ? colors.green('0 lost') : colors.red(`${load.lost} lost`);
  const shown = view.pods.slice(0, MAX_PODS_SHOWN);
  const rest = view.pods.length - shown.length;
  return [
    `${colors.bold('Sidestep')}  ${view.title}`,
    '',
    `  load   ${colors.cyan(`${load.rps} req/s`)}   served ${load.served}   ${lost}   p99 ${load.p99Ms.toFixed(1)} ms   longest gap ${Math.round(load.maxGapMs)} ms`,
    `  pods   ${bar(done, view.pods.length, 40)} ${done}/${view.pods.length}   ${(view.elapsedMs / 1000).toFixed(1)} s`,
    '',
    `  ${colors.bold('SidecarSet mesh')}  image ${colors.cyan(view.image)}   ${colors.dim(view.condition)}`,
    ...shown.map((pod, index) => podLine(pod, index === shown.length - 1 && rest === 0)),
    ...(rest > 0 ? [colors.dim(`  └─ and ${rest} more`)] : []),
    '',
    ...view.notes.map((note) => `  ${note}`),
  ];
};
