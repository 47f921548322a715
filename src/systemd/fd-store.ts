import type { Keeper } from '../world/keeper.ts';
import type { Speech } from './notify.ts';

/**
 * The file descriptor store of the service manager, sd_pid_notify_with_fds(3): what is in it is passed to the next process of the service. A descriptor
 * that hangs up stays in it (FDPOLL=0): of an instance that has ended, what it printed last is to be read yet.
 */
export function openFdStore({ say }: Pick<Speech, 'say'>): Keeper {
  return {
    keep: (name, fd) => say(['FDSTORE=1', `FDNAME=${name}`, 'FDPOLL=0'], fd),
    drop: (name) => say(['FDSTOREREMOVE=1', `FDNAME=${name}`]),
  };
}
