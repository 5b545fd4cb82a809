import pc from 'picocolors';
import type { Surroundings } from '../surroundings.js';

/** Colours, or the same functions without any. */
export type Paint = ReturnType<typeof pc.createColors>;

/** Coloured on a terminal, unless NO_COLOR asks for none. */
export const paintFor = ({ config, stdout }: Pick<Surroundings, 'config' | 'stdout'>): Paint =>
  pc.createColors(config.color && stdout.isTTY);

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

/** How many columns a text takes, colours not counted. */
export const widthOf = (text: string): number => [...text.replace(ESCAPES, '')].length;

/** Rows with their columns aligned, two spaces apart; the last column is not padded, and a row of one cell is a heading. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows.filter((each) => each.length > 1)) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell) + 2)))
      .join('')
      .trimEnd(),
  );
}
