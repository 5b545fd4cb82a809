import { duplicate, type FieldError, notSupported, required } from '../../field-error.js';
import { type Fields, forEachIndex, invalidForEach, numberOf, recordsOf, textOf } from '../fields.js';
import { checkPortName, checkPortNumber } from '../names.js';

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

export function validatePorts(ports: unknown, path: string): FieldError[] {
  const names = new Set<string>();
  return forEachIndex(ports, path, (port, at) => [
    ...validatePortName(textOf(port.name), names, `${at}.name`),
    ...validatePortNumbers(port, at),
    ...validateProtocol(textOf(port.protocol), `${at}.protocol`),
  ]);
}

function validatePortName(name: string, seen: Set<string>, path: string): FieldError[] {
  if (name === '') return [];
  const problems = checkPortName(name);
  if (problems.length > 0) return invalidForEach(path, name, problems);
  if (seen.has(name)) return [duplicate(path, name)];
  seen.add(name);
  return [];
}

function validatePortNumbers(port: Fields, path: string): FieldError[] {
  const containerPort = numberOf(port.containerPort);
  const hostPort = numberOf(port.hostPort);
  const at = `${path}.containerPort`;
  return [
    ...(containerPort === 0 ? [required(at)] : invalidForEach(at, containerPort, checkPortNumber(containerPort))),
    ...(hostPort === 0 ? [] : invalidForEach(`${path}.hostPort`, hostPort, checkPortNumber(hostPort))),
  ];
}

function validateProtocol(protocol: string, path: string): FieldError[] {
  if (protocol === '') return [required(path)];
  return PROTOCOLS.includes(protocol) ? [] : [notSupported(path, protocol, PROTOCOLS)];
}

/** No two of these containers, which run at the same time, may take the same port of the node. */
export function validateHostPorts(containers: readonly Fields[], path: string): FieldError[] {
  const taken = new Set<string>();
  return containers.flatMap((container, index) =>
    recordsOf(container.ports).flatMap((port, portIndex) => {
      const hostPort = numberOf(port.hostPort);
      if (hostPort === 0) return [];
      const key = `${textOf(port.protocol)}/${textOf(port.hostIP)}/${hostPort}`;
      if (taken.has(key)) return [duplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key)];
      taken.add(key);
      return [];
    }),
  );
}
