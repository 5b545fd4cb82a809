import { type FieldError, invalid } from '../../field-error.js';
import { invalidForEach, isSet, recordOf, recordsOf, textOf } from '../fields.js';
import { checkDnsSubdomain } from '../names.js';

const LONGEST_SPEC_KIB = 64;
const LONGEST_DOMAIN = 256;
const LONGEST_USER = 104;
const NETBIOS_NAME = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const DNS_NAME = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/;

/** Windows containers: the account they run as. */
export function validateWindowsOptions(options: unknown, path: string): FieldError[] {
  if (!isSet(options)) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = recordOf(options);
  return [
    ...(isSet(name) ? invalidForEach(`${path}.gmsaCredentialSpecName`, name, checkDnsSubdomain(textOf(name))) : []),
    ...(isSet(spec) ? invalidForEach(`${path}.gmsaCredentialSpec`, spec, checkSpec(textOf(spec))) : []),
    ...(isSet(user) ? checkUserName(textOf(user)).map((each) => invalid(`${path}.runAsUserName`, user, each)) : []),
  ];
}

function checkSpec(spec: string): string[] {
  if (spec === '') return ['gmsaCredentialSpec cannot be an empty string'];
  const isTooLong = Buffer.byteLength(spec) > LONGEST_SPEC_KIB * 1024;
  return isTooLong ? [`gmsaCredentialSpec size must be under ${LONGEST_SPEC_KIB} KiB`] : [];
}

function checkUserName(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (CONTROL.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  return [...(parts.length === 2 ? checkDomain(parts[0] ?? '') : []), ...checkUser(user)];
}

function checkDomain(domain: string): string[] {
  const problems: string[] = [];
  if (Buffer.byteLength(domain) >= LONGEST_DOMAIN) {
    problems.push(`runAsUserName's Domain length must be under ${LONGEST_DOMAIN} characters`);
  }
  if (!NETBIOS_NAME.test(domain) && !DNS_NAME.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  return problems;
}

function checkUser(user: string): string[] {
  const problems: string[] = [];
  if (user === '') problems.push("runAsUserName's User cannot be empty");
  if (Buffer.byteLength(user) > LONGEST_USER) {
    problems.push(`runAsUserName's User length must not be longer than ${LONGEST_USER} characters`);
  }
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return problems;
}

/**
 * Windows containers that run on the host itself must all do so and need the pod's hostNetwork. A SidecarSet cannot give it, so
 * OpenKruise refuses every set with such a container.
 */
export function validateHostProcess(containers: unknown[], path: string): FieldError[] {
  const onHost = recordsOf(containers).filter(
    ({ securityContext }) => recordOf(recordOf(securityContext).windowsOptions).hostProcess === true,
  );
  if (onHost.length === 0) return [];
  const rule = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
  return [
    ...(onHost.length < containers.length ? [invalid(path, '', rule)] : []),
    invalid(`${path}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'),
  ];
}
