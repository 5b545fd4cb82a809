/** `1 pod`, `2 pods`: for sentences that people read. */
export const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`;

/** `1 pod waits`, `2 pods wait`. */
export const countedWith = (count: number, thing: string, verb: readonly [one: string, many: string]): string =>
  `${counted(count, thing)} ${count === 1 ? verb[0] : verb[1]}`;
