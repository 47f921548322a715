import { basename, dirname, join } from 'node:path';
import type { SockDiag, UnixSocket } from '../kernel/sock-diag.ts';
import { onceATurn } from './once-a-turn.ts';
import { groupedBy, hiddenIn, mainOf } from './unix-file.ts';

/** What is at and beside the paths of unix sockets, as it was at most one turn of the event loop ago. The kernel tells of all sockets or none, and a folder of all its files. */
export interface Neighbours {
  /** Those who listen at a path, or at a hidden one beside it. @throws E_KERNEL where the kernel cannot tell */
  listeningAt(path: string): readonly UnixSocket[];
  /** @throws E_KERNEL where the kernel cannot tell */
  listening(inode: number): UnixSocket | undefined;
  /** The hidden files beside a path. Throws what readdir(3) does. */
  hidden(path: string): readonly string[];
}

/** Looks when it is asked. */
export function openNeighbours(diag: Pick<SockDiag, 'unix'>): Neighbours {
  const listeners = onceATurn(() => {
    const all = diag.unix(['listen']).flatMap((socket) => (socket.path === null ? [] : [{ ...socket, path: socket.path }]));
    return { paths: groupedBy(all, ({ path }) => path), mains: groupedBy(all, ({ path }) => mainOf(path)), inodes: new Map(all.map((socket) => [socket.inode, socket])) };
  });
  const folders = onceATurn(() => new Map<string, ReadonlyMap<string, readonly string[]>>());
  const plain = (path: string): string => join(dirname(path), basename(path));

  return {
    listeningAt(path) {
      const { paths, mains } = listeners();
      return [...(paths.get(path) ?? []), ...(mains.get(plain(path)) ?? [])];
    },
    listening: (inode) => listeners().inodes.get(inode),
    hidden(path) {
      const seen = folders();
      const folder = dirname(path);
      const files = seen.get(folder) ?? hiddenIn(folder);
      seen.set(folder, files);
      return files.get(plain(path)) ?? [];
    },
  };
}
