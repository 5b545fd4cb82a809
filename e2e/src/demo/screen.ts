import type { Frame } from './picture.js';
import { type DemoView, renderView } from './view.js';

const REDRAW_MS = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are removed where the terminal does not want them
const withoutColours = (line: string): string => line.replace(/\u001b\[\d+m/g, '');

/** Draws in place on a terminal, in single lines elsewhere, and not at all with `--json`. */
export class Screen {
  readonly frames: Frame[] = [];
  private drawnLines = 0;
  private lastDraw = 0;
  private lastPlain = '';
  private readonly started = Date.now();
  private readonly tty: boolean;
  private readonly colour: boolean;
  private readonly out: NodeJS.WriteStream;
  private readonly silent: boolean;

  constructor(out: NodeJS.WriteStream, silent: boolean) {
    this.out = out;
    this.silent = silent;
    this.tty = out.isTTY === true && process.env.TERM !== 'dumb';
    this.colour = this.tty && process.env.NO_COLOR === undefined;
  }

  /** One line that stays. */
  say(line: string): void {
    if (this.silent) {
      process.stderr.write(`${line}\n`);
      return;
    }
    this.erase();
    this.out.write(`${this.colour ? line : withoutColours(line)}\n`);
  }

  draw(view: DemoView, force = false): void {
    if (!force && Date.now() - this.lastDraw < REDRAW_MS) return;
    this.lastDraw = Date.now();
    const lines = renderView(view);
    this.frames.push({ atMs: Date.now() - this.started, lines });
    if (this.silent) return;
    if (this.tty) {
      this.erase();
      this.out.write(`${lines.map((line) => (this.colour ? line : withoutColours(line))).join('\n')}\n`);
      this.drawnLines = lines.length;
      return;
    }
    const plain = withoutColours(lines.slice(2, 4).join(' ').replace(/\s+/g, ' '));
    const pods = withoutColours(lines[3] ?? '').replace(/\s+\d+\.\d s$/, '');
    if (force || pods !== this.lastPlain) this.out.write(`${plain.trim()}\n`);
    this.lastPlain = pods;
  }

  /** Leaves what is drawn where it is. */
  keep(): void {
    this.drawnLines = 0;
  }

  private erase(): void {
    if (this.drawnLines > 0) this.out.write(`\u001b[${this.drawnLines}A\u001b[0J`);
    this.drawnLines = 0;
  }
}
