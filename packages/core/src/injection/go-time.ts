const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/**
 * A time that Go's `metav1.Time` can read, as it prints it: RFC 3339 in whole seconds and UTC, Go's zero time as null. Undefined
 * for what it refuses. It takes hours of one digit, a comma before the fraction, and offsets up to 24:60.
 */
export function goTime(text: string): string | null | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [offsetHours, offsetMinutes] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const time = new Date(0);
  // `Date.UTC` would take years under 100 for those of the last century.
  time.setUTCFullYear(year, month - 1, day);
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 24 || offsetMinutes > 60) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * (match[8] === '-' ? -1 : 1);
  time.setUTCHours(hour, minute - offset, second);
  const isWhole = !/[1-9]/.test((match[7] ?? '').slice(0, NANOSECOND_DIGITS));
  return isWhole && time.getTime() === ZERO_TIME_MS ? null : printed(time);
}

const NANOSECOND_DIGITS = 9;

/** The beginning of the year 1. */
const ZERO_TIME_MS = -62_135_596_800_000;

/** Not `toISOString`, which writes years beyond four digits with a sign and six. */
function printed(time: Date): string {
  const year = time.getUTCFullYear();
  const digits = String(Math.abs(year)).padStart(4, '0');
  const [month, day, hour, minute, second] = [
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
  ].map((part) => String(part).padStart(2, '0'));
  return `${year < 0 ? '-' : ''}${digits}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
