import { type FieldError, invalid, quoteGo, required, tooLong, Verbatim } from '../../field-error.js';
import { GO_ADDRESS, goSyntax } from '../../schema/go-syntax.js';
import { LABEL_SELECTOR } from '../../schema/selector-types.js';
import { type Fields, invalidForEach, isSet, recordOf, textOf } from '../fields.js';
import { checkDnsLabel, checkDnsSubdomain } from '../names.js';
import { validateLabelSelector } from '../selector.js';
import { validateFilePath } from './paths.js';

/** A projected ClusterTrustBundle, chosen by its name or by its signer. */
export function validateTrustBundle(source: Fields, path: string): FieldError[] {
  const file = textOf(source.path);
  return [
    ...validateChoice(source, path),
    ...(file === '' ? [required(`${path}.path`)] : []),
    ...validateFilePath(file, `${path}.path`),
  ];
}

function validateChoice(source: Fields, path: string): FieldError[] {
  const byName = isSet(source.name);
  const bySigner = isSet(source.signerName);
  if (byName && bySigner) {
    return [invalid(path, new Verbatim(goProjection(source)), 'only one of name and signerName may be used')];
  }
  if (byName) return validateName(source, path);
  if (!bySigner) return [required(path, 'either name or signerName must be specified')];
  const signer = textOf(source.signerName);
  return [
    ...(signer === '' ? [required(`${path}.signerName`, 'must be a valid signer name')] : []),
    ...validateSigner(signer, `${path}.signerName`),
    ...(isSet(source.labelSelector)
      ? validateLabelSelector(recordOf(source.labelSelector), `${path}.labelSelector`)
      : []),
  ];
}

/** The whole projection as Go's `%#v` prints it. */
function goProjection(source: Fields): string {
  const pointer = (field: string, goName: string, type: string): string =>
    `${goName}:(*${type})(${isSet(source[field]) ? GO_ADDRESS : 'nil'})`;
  const fields = [
    pointer('name', 'Name', 'string'),
    pointer('signerName', 'SignerName', 'string'),
    pointer('labelSelector', 'LabelSelector', 'v1.LabelSelector'),
    pointer('optional', 'Optional', 'bool'),
    `Path:${quoteGo(textOf(source.path))}`,
  ];
  return `core.ClusterTrustBundleProjection{${fields.join(', ')}}`;
}

function validateName(source: Fields, path: string): FieldError[] {
  const name = textOf(source.name);
  const at = `${path}.name`;
  const errors = name === '' ? [required(at, 'must be a valid object name')] : [];
  const problems = checkName(name).map((problem) => `not a valid clustertrustbundlename: ${problem}`);
  errors.push(...invalidForEach(at, name, problems));
  if (isSet(source.labelSelector)) {
    const shown = new Verbatim(goSyntax(LABEL_SELECTOR, source.labelSelector));
    errors.push(invalid(`${path}.labelSelector`, shown, 'labelSelector must be unset if name is specified'));
  }
  return errors;
}

function checkName(name: string): string[] {
  const split = name.lastIndexOf(':');
  return checkDnsSubdomain(split === -1 ? name : name.slice(split + 1));
}

const LONGEST_DOMAIN = 253;

function validateSigner(signer: string, path: string): FieldError[] {
  if (signer === '') return [required(path)];
  const [domain = '', name = '', ...rest] = signer.split('/');
  if (!signer.includes('/') || rest.length > 0) {
    const rule = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(path, signer, rule)];
  }
  const errors: FieldError[] = [];
  if (Buffer.byteLength(domain) > LONGEST_DOMAIN) errors.push(tooLong(path, LONGEST_DOMAIN));
  errors.push(...validateLabels(domain, checkDnsLabel, path));
  if (!domain.includes('.')) {
    errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  }
  return [...errors, ...validateLabels(name, checkDnsSubdomain, path)];
}

/** The first label that is wrong says enough. */
function validateLabels(text: string, check: (label: string) => string[], path: string): FieldError[] {
  const wrong = text.split('.').find((label) => check(label).length > 0);
  if (wrong === undefined) return [];
  return check(wrong).map((problem) => invalid(path, text, `validating label "${wrong}": ${problem}`));
}
