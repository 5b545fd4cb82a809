import { type FieldError, invalid, required, tooLong, Verbatim } from '../../field-error.js';
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
    return [
      invalid(
        path,
        new Verbatim('core.ClusterTrustBundleProjection{...}'),
        'only one of name and signerName may be used',
      ),
    ];
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

function validateName(source: Fields, path: string): FieldError[] {
  const name = textOf(source.name);
  const at = `${path}.name`;
  const errors = name === '' ? [required(at, 'must be a valid object name')] : [];
  const problems = checkName(name).map((problem) => `not a valid clustertrustbundlename: ${problem}`);
  errors.push(...invalidForEach(at, name, problems));
  if (isSet(source.labelSelector)) {
    const shown = new Verbatim('v1.LabelSelector{...}');
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
