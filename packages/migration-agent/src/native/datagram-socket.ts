import { AF_UNIX, addon, orThrow, SOCK_DGRAM } from './addon.js';

/** Binds a Unix datagram socket to the path, which must be free. @throws SystemCallError. */
export function bindDatagramSocket(path: string): number {
  const fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
  const result = addon().bindUnix(fd, path);
  if (result < 0) addon().close(fd);
  orThrow('bind', result, path);
  return fd;
}

/** A datagram socket whose process ended refuses; the file alone says nothing. */
export function answersDatagrams(path: string): boolean {
  const probe = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
  const result = addon().connectUnix(probe, path);
  addon().close(probe);
  return result >= 0;
}
