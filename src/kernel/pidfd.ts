import { kernelError, lastErrno, type Libc } from './libc.ts';

/** How a process ended, as waitid(2) tells it. The number of a signal is that of signal(7). */
export type Ending =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: number };

/** Handles of processes: unlike a pid, one never comes to mean another process. */
export interface Pidfds {
  /**
   * pidfd_open(2). The descriptor can be read from, as epoll(7) has it, once the process has ended; its owner closes it.
   * @returns null if there is no such process
   * @throws E_KERNEL when out of descriptors
   */
  open(pid: number): number | null;
  /** pidfd_send_signal(2). @returns null, or the name of the error, e.g. `ESRCH`: it is dead */
  signal(pidfd: number, signal: number): string | null;
  /**
   * waitid(2) with P_PIDFD: takes leave of a child that has ended; its pid is free afterwards.
   * @returns `running`; `stranger`: it is no child of ours (any more), so nobody can tell
   */
  reap(pidfd: number): Ending | 'running' | 'stranger';
  /** waitid(2) with P_PID: waits for a child that was just killed, and forgets it. */
  reapPid(pid: number): void;
}

/** Numbers of the calls; the same on every architecture, as for all calls since Linux 5.1. */
const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const P_PID = 1;
const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
/** siginfo_t of sigaction(2), 64 bit: where si_code, si_pid and si_status are. */
const SIGINFO_BYTES = 128;
const SI_CODE = 8;
const SI_PID = 16;
const SI_STATUS = 24;
const CLD_EXITED = 1;

/** Binds the calls. */
export function openPidfds(libc: Libc): Pidfds {
  const pidfdOpen = libc.bind<(call: number, pid: number, flags: number) => number>('long syscall(long call, int pid, uint flags)');
  const sendSignal = libc.bind<(call: number, pidfd: number, signal: number, info: null, flags: number) => number>(
    'long syscall(long call, int pidfd, int signal, void *info, uint flags)',
  );
  const waitid = libc.bind<(kind: number, id: number, info: Uint8Array, options: number) => number>(
    'int waitid(int kind, uint id, void *info, int options)',
  );
  const info = Buffer.alloc(SIGINFO_BYTES);

  return {
    open(pid) {
      const pidfd = pidfdOpen(PIDFD_OPEN, pid, 0);
      if (pidfd >= 0) return pidfd;
      const errno = lastErrno();
      if (errno === 'ESRCH') return null;
      throw kernelError('pidfd_open', String(pid), errno);
    },
    signal(pidfd, signal) {
      return sendSignal(PIDFD_SEND_SIGNAL, pidfd, signal, null, 0) === 0 ? null : lastErrno();
    },
    reap(pidfd) {
      info.fill(0);
      if (waitid(P_PIDFD, pidfd, info, WEXITED | WNOHANG) < 0) {
        const errno = lastErrno();
        if (errno === 'ECHILD') return 'stranger';
        throw kernelError('waitid', `pidfd ${pidfd}`, errno);
      }
      if (info.readInt32LE(SI_PID) === 0) return 'running';
      const status = info.readInt32LE(SI_STATUS);
      return info.readInt32LE(SI_CODE) === CLD_EXITED ? { kind: 'exited', code: status } : { kind: 'killed', signal: status };
    },
    reapPid(pid) {
      waitid(P_PID, pid, info, WEXITED);
    },
  };
}
