/** Turns the demo's screens into one animated SVG, so that the README's picture is what really happened. */

export interface Frame {
  atMs: number;
  lines: string[];
}

const COLORS: Record<string, string> = {
  '31': '#f87171',
  '32': '#4ade80',
  '33': '#facc15',
  '36': '#22d3ee',
  '2': '#94a3b8',
  '1': '#f8fafc',
};
const ROW = 19;
const COLUMN = 8.4;

const escapeText = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

const spans = (line: string): string => {
  let color = '#e2e8f0';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the screens are ANSI text
  return line.split(/(\u001b\[\d+m)/).reduce((out, part) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the screens are ANSI text
    const code = /^\u001b\[(\d+)m$/.exec(part)?.[1];
    if (code !== undefined) {
      color = COLORS[code] ?? '#e2e8f0';
      return out;
    }
    return part === '' ? out : `${out}<tspan fill="${color}">${escapeText(part)}</tspan>`;
  }, '');
};

const plainLength = (line: string): number =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the screens are ANSI text
  line.replace(/\u001b\[\d+m/g, '').length;

/** At most `limit` frames, the first and the last always among them. */
const thinned = (frames: readonly Frame[], limit: number): Frame[] => {
  if (frames.length <= limit) return [...frames];
  const step = (frames.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, index) => frames[Math.round(index * step)]!);
};

/** One SVG that plays the frames in a loop of `playMs` and rests on the last one. */
export const svgOf = (recorded: readonly Frame[], playMs = 14_000): string => {
  const frames = thinned(recorded, 40);
  const rows = Math.max(...frames.map((frame) => frame.lines.length));
  const columns = Math.max(...frames.flatMap((frame) => frame.lines.map(plainLength)));
  const width = Math.ceil(columns * COLUMN + 32);
  const height = rows * ROW + 32;
  const share = 78 / frames.length;
  const groups = frames.map((frame, index) => {
    const from = (index * share).toFixed(2);
    const to = index === frames.length - 1 ? '100' : ((index + 1) * share).toFixed(2);
    const text = frame.lines
      .map((line, row) => `<text x="16" y="${16 + (row + 1) * ROW - 5}">${spans(line)}</text>`)
      .join('');
    const style = `@keyframes f${index}{0%,${from}%{opacity:${index === 0 ? 1 : 0}}${from}%,${to}%{opacity:1}${to}%,100%{opacity:${index === frames.length - 1 ? 1 : 0}}}`;
    return { style, body: `<g style="animation:f${index} ${playMs}ms step-end infinite">${text}</g>` };
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Sidestep's demo: sidecars of running pods are upgraded under load">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,monospace;white-space:pre}${groups.map((group) => group.style).join('')}</style>
<rect width="100%" height="100%" rx="10" fill="#0f172a"/>
${groups.map((group) => group.body).join('\n')}
</svg>
`;
};
