import type { Listen } from '../core/address.ts';
import { DEFAULT_BACKLOG } from './listen-form.ts';
import type { UwsgiSection } from './uwsgi-section.ts';

const ACCOUNT = /^(?![-+])[^\s:,/]+$/;

/**
 * With what permissions, and with how long a queue, uWSGI opens the sockets of a section. What cannot be is told.
 * Source: uWSGI core/socket.c, bind_to_unix; core/utils.c, uwsgi_chown.
 * @param standard the mode of a unix socket of which the section says nothing
 */
export function permissionsOf({ last, tell }: Pick<UwsgiSection, 'last' | 'tell'>, standard: number): Omit<Listen, 'address'> {
  const [chmod, owner, queue, mask] = [last('chmod-socket', 'chmod', 'C'), last('chown-socket'), last('listen', 'l'), last('umask')];
  if (chmod !== undefined && !/^(?:[0-7]{3}||true|1)$/.test(chmod.value)) tell(chmod.option, `"${chmod.option.name}" wants three octal digits`, 'write 660');
  const usual = mask === undefined ? standard : 0o777 & ~Number.parseInt(mask.value, 8);
  const mode = chmod === undefined ? usual : /^\d{3}$/.test(chmod.value) ? Number.parseInt(chmod.value, 8) : 0o666;
  const [user, group] = owner?.value.split(':') ?? [];
  if (owner !== undefined && ![user, group ?? '0'].every((each) => each !== undefined && ACCOUNT.test(each))) tell(owner.option, `"${owner.option.name}" wants a name or number`, 'write "www-data", or "www-data:www-data"');
  const backlog = Number(queue?.value ?? DEFAULT_BACKLOG);
  if (queue !== undefined && !/^[1-9]\d{0,4}$/.test(queue.value)) tell(queue.option, `"${queue.option.name}" wants a number`, 'write 100');
  return { mode, user: user ?? last('uid')?.value ?? null, group: group ?? last('gid')?.value ?? null, backlog };
}
