import { setTimeout as delay } from 'node:timers/promises';
import type { Surroundings } from '../surroundings.js';
import { widthOf } from './paint.js';

const ESCAPE = String.fromCharCode(27);
/** A screen that is written more often flickers, and nobody reads faster. */
const LEAST_MS = 200;

/**
 * Shows a text in the place of the one before: in place on a terminal, else below it and only when it differs. Documents for programs
 * are always told one below the other, `between` apart.
 */
export class LiveScreen {
  private rows = 0;
  private shown = '';

  constructor(
    private readonly around: Pick<Surroundings, 'stdout' | 'stop'>,
    private readonly between?: string,
  ) {}

  async show(text: string): Promise<void> {
    if (text === this.shown) return;
    const { stdout, stop } = this.around;
    if (stdout.isTTY && this.between === undefined) this.redraw(text);
    else stdout.write(this.shown === '' ? text : `${this.between ?? '\n'}${text}`);
    this.shown = text;
    await delay(LEAST_MS, undefined, { signal: stop }).catch(() => undefined);
  }

  private redraw(text: string): void {
    const { stdout } = this.around;
    const fitting = text.split('\n').slice(0, Math.max(1, stdout.rows - 1));
    const up = this.rows > 0 ? `${ESCAPE}[${this.rows}A` : '';
    stdout.write(`${up}\r${ESCAPE}[J${fitting.join('\n')}`);
    const columns = Math.max(1, stdout.columns);
    this.rows = fitting.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0) - 1;
  }
}
