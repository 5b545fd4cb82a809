const LISTENING = '0A';

/** Local port, state and inode of a line, except where the state is TIME_WAIT. */
const OPEN = /: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} (?!06)([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/g;

export interface TcpSocket {
  /** On this side. */
  port: number;
  listening: boolean;
  inode: string;
}

/**
 * The sockets in `/proc/net/tcp` or `tcp6` (proc(5)) that are wanted.
 *
 * The table has a line for every connection of the pod, and for those that ended a minute ago: at 10,000 new ones a second these are
 * 130,000, which are passed over without making anything of them.
 */
export function* socketsIn(table: string, wanted: (socket: TcpSocket) => boolean): Iterable<TcpSocket> {
  for (const [, port = '', state, inode = ''] of table.matchAll(OPEN)) {
    const socket = { port: Number.parseInt(port, 16), listening: state === LISTENING, inode };
    if (wanted(socket)) yield socket;
  }
}
