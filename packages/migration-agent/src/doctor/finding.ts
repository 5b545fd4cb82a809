/** How much a finding matters. `ok`: as it should be · `warning`: works, with a catch · `error`: an upgrade would fail or lose something. */
export type Level = 'ok' | 'warning' | 'error';

/** One thing that was looked at. */
export interface Finding {
  level: Level;
  /** A stable word for the check, e.g. `private-directory`. */
  check: string;
  /** What was seen. */
  what: string;
  /** The file, variable, option or program it is about. */
  where: string;
  /** What to do; empty when all is well. */
  advice: string;
}

export const ok = (check: string, where: string, what: string): Finding => ({
  level: 'ok',
  check,
  what,
  where,
  advice: '',
});

export const warning = (check: string, where: string, what: string, advice: string): Finding => ({
  level: 'warning',
  check,
  what,
  where,
  advice,
});

export const error = (check: string, where: string, what: string, advice: string): Finding => ({
  level: 'error',
  check,
  what,
  where,
  advice,
});

/** The order in which a person reads them: what is wrong first. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  const rank: Record<Level, number> = { error: 0, warning: 1, ok: 2 };
  return [...findings].sort((a, b) => rank[a.level] - rank[b.level]);
}

export function asText(findings: readonly Finding[]): string {
  const lines = worstFirst(findings).map(({ level, check, what, where, advice }) => {
    const head = `${level.toUpperCase().padEnd(7)} ${check}: ${what} (${where})`;
    return advice === '' ? head : `${head}\n        ${advice}`;
  });
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length;
  return `${lines.join('\n')}\n${count('error')} errors, ${count('warning')} warnings, ${count('ok')} ok\n`;
}
