/** The formats of names in the Kubernetes API. Each check returns what is wrong, in the API server's words; `[]` means valid. */

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const ENV_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const HTTP_HEADER = '[-A-Za-z0-9]+';

const LABEL_LENGTH = 63;
const SUBDOMAIN_LENGTH = 253;
const PORT_NAME_LENGTH = 15;

const anchored = (format: string) => new RegExp(`^${format}$`);
const DNS_LABEL_RE = anchored(DNS_LABEL);
const DNS_SUBDOMAIN_RE = anchored(DNS_SUBDOMAIN);
const QUALIFIED_NAME_RE = anchored(QUALIFIED_NAME);
const LABEL_VALUE_RE = anchored(LABEL_VALUE);
const ENV_NAME_RE = anchored(ENV_NAME);
const CONFIG_KEY_RE = anchored(CONFIG_KEY);
const HTTP_HEADER_RE = anchored(HTTP_HEADER);

const ALPHANUMERIC_ENDS = 'and must start and end with an alphanumeric character';
const QUALIFIED_NAME_RULE = `must consist of alphanumeric characters, '-', '_' or '.', ${ALPHANUMERIC_ENDS}`;

/** How the API server explains a format: the rule, examples, the expression. */
export function formatRule(rule: string, format: string, ...examples: string[]): string {
  return `${rule} (e.g. ${examples.map((each) => `'${each}', `).join(' or ')}regex used for validation is '${format}')`;
}

export const tooManyCharacters = (length: number): string => `must be no more than ${length} characters`;

export const outOfRange = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

function tooLongFor(value: string, length: number): string[] {
  return Buffer.byteLength(value) > length ? [tooManyCharacters(length)] : [];
}

export function checkDnsLabel(value: string): string[] {
  const problems = tooLongFor(value, LABEL_LENGTH);
  if (DNS_LABEL_RE.test(value)) return problems;
  if (DNS_SUBDOMAIN_RE.test(value)) return [...problems, 'must not contain dots'];
  const rule = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', ${ALPHANUMERIC_ENDS}`;
  return [...problems, formatRule(rule, DNS_LABEL, 'my-name', '123-abc')];
}

export function checkDnsSubdomain(value: string): string[] {
  const problems = tooLongFor(value, SUBDOMAIN_LENGTH);
  if (DNS_SUBDOMAIN_RE.test(value)) return problems;
  const rule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', ${ALPHANUMERIC_ENDS}`;
  return [...problems, formatRule(rule, DNS_SUBDOMAIN, 'example.com')];
}

export function checkQualifiedName(value: string): string[] {
  const parts = value.split('/');
  const rule = formatRule(QUALIFIED_NAME_RULE, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc');
  if (parts.length > 2) {
    return [`a qualified name ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems = parts.length === 2 ? checkPrefix(parts[0] ?? '') : [];
  const name = parts.at(-1) ?? '';
  if (name === '') problems.push('name part must be non-empty');
  problems.push(...tooLongFor(name, LABEL_LENGTH).map((each) => `name part ${each}`));
  if (!QUALIFIED_NAME_RE.test(name)) problems.push(`name part ${rule}`);
  return problems;
}

function checkPrefix(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  return checkDnsSubdomain(prefix).map((each) => `prefix part ${each}`);
}

export function checkLabelValue(value: string): string[] {
  const problems = tooLongFor(value, LABEL_LENGTH);
  if (LABEL_VALUE_RE.test(value)) return problems;
  const rule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', ${ALPHANUMERIC_ENDS}`;
  return [...problems, formatRule(rule, LABEL_VALUE, 'MyValue', 'my_value', '12345')];
}

export function checkEnvName(value: string): string[] {
  const rule =
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
  const problems = ENV_NAME_RE.test(value)
    ? []
    : [formatRule(rule, ENV_NAME, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')];
  return [...problems, ...checkParentPrefix(value)];
}

export function checkConfigKey(value: string): string[] {
  const problems = tooLongFor(value, SUBDOMAIN_LENGTH);
  if (!CONFIG_KEY_RE.test(value)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(formatRule(rule, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...problems, ...checkParentPrefix(value)];
}

/** Such names would leave the directory they are written to. */
function checkParentPrefix(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

export function checkHttpHeaderName(value: string): string[] {
  if (HTTP_HEADER_RE.test(value)) return [];
  const rule = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [formatRule(rule, HTTP_HEADER, 'X-Header-Name')];
}

export function checkPortNumber(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : [outOfRange(1, 65535)];
}

export function checkPortName(name: string): string[] {
  const problems = tooLongFor(name, PORT_NAME_LENGTH);
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function checkPercent(value: string): string[] {
  if (/^[0-9]+%$/.test(value)) return [];
  const rule = "a valid percent string must be a numeric string followed by an ending '%'";
  return [formatRule(rule, '[0-9]+%', '1%', '93%')];
}
