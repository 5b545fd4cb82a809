import { type FieldError, invalid, notSupported, required, tooLong, Verbatim } from '../../field-error.js';
import { GO_ADDRESS } from '../../schema/go-syntax.js';
import { type Fields, int64Of, isSet, listOf, recordOf, textOf } from '../fields.js';
import { outOfRange } from '../names.js';
import { validateRelativePath } from './paths.js';
import { validateWindowsOptions } from './windows-options.js';

const MAX_ID = 2 ** 31 - 1;
const PROC_MOUNTS = ['Default', 'Unmasked'];
const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];

export function validateSecurityContext(context: unknown, path: string): FieldError[] {
  if (!isSet(context)) return [];
  const security = recordOf(context);
  return [
    ...validateId(security.runAsUser, `${path}.runAsUser`),
    ...validateId(security.runAsGroup, `${path}.runAsGroup`),
    ...validateProcMount(security.procMount, `${path}.procMount`),
    ...validateSeccomp(security.seccompProfile, `${path}.seccompProfile`),
    ...validateEscalation(security, path),
    ...validateWindowsOptions(security.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(security.appArmorProfile, `${path}.appArmorProfile`),
  ];
}

function validateId(id: unknown, path: string): FieldError[] {
  if (!isSet(id) || (int64Of(id) >= 0 && int64Of(id) <= MAX_ID)) return [];
  return [invalid(path, id, outOfRange(0, MAX_ID))];
}

function validateProcMount(type: unknown, path: string): FieldError[] {
  if (!isSet(type)) return [];
  const mount = textOf(type);
  if (!PROC_MOUNTS.includes(mount)) return [notSupported(path, mount, PROC_MOUNTS)];
  return mount === 'Unmasked' ? [invalid(path, mount, '`hostUsers` must be false to use `Unmasked`')] : [];
}

function validateSeccomp(profile: unknown, path: string): FieldError[] {
  if (!isSet(profile)) return [];
  const { type, localhostProfile } = recordOf(profile);
  const errors = validateProfileType(textOf(type), `${path}.type`, 'seccompProfile');
  const at = `${path}.localhostProfile`;
  if (type !== 'Localhost') {
    if (isSet(localhostProfile)) {
      const shown = new Verbatim(goSeccompProfile(textOf(type)));
      errors.push(invalid(at, shown, 'can only be set when seccomp type is Localhost'));
    }
    return errors;
  }
  if (!isSet(localhostProfile)) return [...errors, required(at, 'must be set when seccomp type is Localhost')];
  return [...errors, ...validateRelativePath(textOf(localhostProfile), at)];
}

const goSeccompProfile = (type: string): string =>
  `core.SeccompProfile{Type:${JSON.stringify(type)}, LocalhostProfile:(*string)(${GO_ADDRESS})}`;

function validateProfileType(type: string, path: string, field: string): FieldError[] {
  if (type === '') return [required(path, `type is required when ${field} is set`)];
  return PROFILE_TYPES.includes(type) ? [] : [notSupported(path, type, PROFILE_TYPES)];
}

const POINTERS: [field: string, goName: string, type: string][] = [
  ['capabilities', 'Capabilities', 'core.Capabilities'],
  ['privileged', 'Privileged', 'bool'],
  ['seLinuxOptions', 'SELinuxOptions', 'core.SELinuxOptions'],
  ['windowsOptions', 'WindowsOptions', 'core.WindowsSecurityContextOptions'],
  ['runAsUser', 'RunAsUser', 'int64'],
  ['runAsGroup', 'RunAsGroup', 'int64'],
  ['runAsNonRoot', 'RunAsNonRoot', 'bool'],
  ['readOnlyRootFilesystem', 'ReadOnlyRootFilesystem', 'bool'],
  ['allowPrivilegeEscalation', 'AllowPrivilegeEscalation', 'bool'],
  ['procMount', 'ProcMount', 'core.ProcMountType'],
  ['seccompProfile', 'SeccompProfile', 'core.SeccompProfile'],
  ['appArmorProfile', 'AppArmorProfile', 'core.AppArmorProfile'],
];

/** The whole context as Go's `%#v` prints it. */
function goSecurityContext(security: Fields): string {
  const fields = POINTERS.map(
    ([field, goName, type]) => `${goName}:(*${type})(${isSet(security[field]) ? GO_ADDRESS : 'nil'})`,
  );
  return `core.SecurityContext{${fields.join(', ')}}`;
}

const LONGEST_PROFILE = 4095;

function validateAppArmor(profile: unknown, path: string): FieldError[] {
  if (!isSet(profile)) return [];
  const { type, localhostProfile } = recordOf(profile);
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') return validateLocalAppArmor(localhostProfile, at);
  const errors = validateProfileType(textOf(type), `${path}.type`, 'appArmorProfile');
  if (errors.length === 0 && isSet(localhostProfile)) {
    errors.push(invalid(at, localhostProfile, 'can only be set when AppArmor type is Localhost'));
  }
  return errors;
}

function validateLocalAppArmor(profile: unknown, path: string): FieldError[] {
  const missing = required(path, 'must be set when AppArmor type is Localhost');
  if (!isSet(profile)) return [missing];
  const name = textOf(profile);
  const errors: FieldError[] = [];
  if (name.trim() !== name) errors.push(invalid(path, name, 'must not be padded with whitespace'));
  else if (name === '') errors.push(missing);
  if (Buffer.byteLength(name) > LONGEST_PROFILE) errors.push(tooLong(path, LONGEST_PROFILE));
  return errors;
}

function validateEscalation(security: Fields, path: string): FieldError[] {
  if (security.allowPrivilegeEscalation !== false) return [];
  const shown = new Verbatim(goSecurityContext(security));
  const problems: string[] = [];
  if (security.privileged === true) {
    problems.push('cannot set `allowPrivilegeEscalation` to false and `privileged` to true');
  }
  for (const capability of listOf(recordOf(security.capabilities).add)) {
    if (capability === 'CAP_SYS_ADMIN') {
      problems.push('cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN');
    }
  }
  return problems.map((problem) => invalid(path, shown, problem));
}
