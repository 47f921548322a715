import { readdirSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/**
 * Whether a process has not understood that it is to stop: uWSGI closes its end of the channel as it does, core/emperor.c, uwsgi_master_manage_emperor (2.0.19 and later). Whoever is told
 * anything after that takes it for the loss of its Emperor, and ends at once. False, too, where nobody may look: proc_pid_fd(5).
 * @param pid of its first process
 * @param inode of its end, as fstat(2) has it
 */
export function isListeningStill(pid: number, inode: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => leadsTo(`/proc/${pid}/fd/${fd}`, `socket:[${inode}]`));
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return false;
  }
}

function leadsTo(link: string, target: string): boolean {
  try {
    return readlinkSync(link) === target;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return false;
  }
}
