import { closeSync, readSync } from 'node:fs';
import { kernelError, lastErrno, type Libc } from './libc.ts';

/**
 * Moves what is in a FIFO into a file in one system call: it leaves the FIFO as it enters the file. Who is killed with SIGKILL meanwhile has
 * done both or neither with each byte, which no pair of read(2) and write(2) can promise. What is to be moved is looked at before, and stays.
 */
export interface Splice extends Disposable {
  /**
   * tee(2): looks at what is in a FIFO, from its head. It must not be called while a {@link Splice.move} out of that FIFO is under way: it would
   * wait for the disk, as the kernel locks the FIFO meanwhile.
   * @param most bytes; less is seen where the pipe that is looked through holds less
   * @param onPiece is given it in pieces of up to {@link PIECE_BYTES}; each is memory that is used again as soon as anything else is looked at
   * @returns bytes seen; 0: it is empty and nobody can write to it any more, or it is no FIFO; null: it is empty now
   */
  peek(fifo: number, most: number, onPiece: (piece: Buffer) => void): number | null;
  /**
   * splice(2), on a thread of libuv's pool: moves the head of a FIFO to `offset` of a regular file, which must not be open for appending. One at
   * a time for each FIFO; both descriptors stay open until it is done. Whoever writes to the FIFO meanwhile waits.
   * @returns bytes moved, fewer than `length` where there was no room for more; null: none could be moved, for a reason that write(2) will tell
   */
  move(fifo: number, file: number, offset: number, length: number): Promise<number | null>;
  /** Takes bytes out of a FIFO, which must be there, and forgets them. */
  drop(fifo: number, length: number): void;
  /** lseek(2), on a thread of libuv's pool: bytes in a regular file, e.g. 0 after somebody truncated it. Costs no memory for each call, unlike fstat in Node. */
  sizeOf(file: number): Promise<number>;
  /** fcntl(2), F_SETPIPE_SZ: lets a FIFO hold {@link LARGE_FIFO_BYTES}. @returns false: it is refused, e.g. to who is not root and has many of them, see pipe(7) */
  enlarge(fifo: number): boolean;
}

/** Longest piece that is looked at. It costs half of the time for each byte that 64 KiB do. */
export const PIECE_BYTES: number = 256 * 1024;
/** What a FIFO may hold for anybody: /proc/sys/fs/pipe-max-size. */
export const LARGE_FIFO_BYTES: number = 1024 * 1024;

/** splice(2), fcntl(2), pipe(2), lseek(2) */
const SPLICE_F_NONBLOCK = 2;
const F_SETPIPE_SZ = 1031;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const SEEK_END = 2;
const OFFSET_BYTES = 8;

/**
 * Binds the calls, and opens the pipe that is looked through.
 * @throws E_KERNEL when out of descriptors
 */
export function openSplice(libc: Libc): Splice {
  const tee = libc.bind<(from: number, to: number, length: number, flags: number) => number>('long tee(int from, int to, ulong length, uint flags)');
  const splice = libc.bind<(from: number, fromOffset: null, to: number, toOffset: Uint8Array, length: number, flags: number) => number>(
    'long splice(int from, void *from_offset, int to, void *to_offset, ulong length, uint flags)',
  );
  const lseek = libc.bind<(fd: number, offset: number, from: number) => number>('int64_t lseek(int fd, int64_t offset, int from)');
  const fcntl = libc.bind<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int command, int argument)');
  const pipe = libc.bind<(ends: Int32Array, flags: number) => number>('int pipe2(void *ends, int flags)');
  const ends = new Int32Array(2);
  if (pipe(ends, O_CLOEXEC | O_NONBLOCK) < 0) throw kernelError('pipe2', '', lastErrno());
  const [out = -1, into = -1] = ends;
  fcntl(into, F_SETPIPE_SZ, LARGE_FIFO_BYTES);
  let open = true;
  const scratch = Buffer.allocUnsafeSlow(PIECE_BYTES);

  return {
    peek(fifo, most, onPiece) {
      const seen = tee(fifo, into, most, SPLICE_F_NONBLOCK);
      if (seen < 0) return lastErrno() === 'EAGAIN' ? null : 0;
      for (let left = seen; left > 0; ) {
        const length = readSync(out, scratch, 0, Math.min(left, PIECE_BYTES), null);
        left -= length;
        onPiece(scratch.subarray(0, length));
      }
      return seen;
    },
    move(fifo, file, offset, length) {
      const at = Buffer.allocUnsafe(OFFSET_BYTES);
      at.writeBigInt64LE(BigInt(offset));
      return new Promise((resolve) => {
        // The error number would be that of this thread, not of the one that made the call.
        splice.async(fifo, null, file, at, length, SPLICE_F_NONBLOCK, (error: unknown, moved: number) => resolve(error === null && moved > 0 ? moved : null));
      });
    },
    drop(fifo, length) {
      let left = length;
      for (let read = 1; left > 0 && read > 0; left -= read) read = readSync(fifo, scratch, 0, Math.min(left, PIECE_BYTES), null);
    },
    sizeOf(file) {
      return new Promise((resolve) => lseek.async(file, 0, SEEK_END, (_error: unknown, size: number) => resolve(Math.max(0, size))));
    },
    enlarge(fifo) {
      return fcntl(fifo, F_SETPIPE_SZ, LARGE_FIFO_BYTES) >= 0;
    },
    [Symbol.dispose]() {
      if (!open) return;
      open = false;
      closeSync(out);
      closeSync(into);
    },
  };
}
