import type { VassalSpec } from '../core/spec.ts';

/** The first descriptor that is passed: SD_LISTEN_FDS_START of sd_listen_fds(3). */
export const FIRST_SOCKET = 3;

/**
 * The variables by which an instance comes to its sockets: LISTEN_FDS and LISTEN_FDNAMES of sd_listen_fds(3) (LISTEN_PID is set by who executes
 * it), or HOST and PORT for one that opens its address itself.
 * @param sockets how many it is given
 */
export function socketEnvironment(vassalName: string, { listen, passing }: Pick<VassalSpec, 'listen' | 'passing'>, sockets: number): Readonly<Record<string, string>> {
  const address = listen[0]?.address;
  if (passing === 'port') return address?.kind === 'tcp' ? { HOST: address.host, PORT: String(address.port) } : {};
  if (sockets === 0 || passing === 'fds') return {};
  // Names are separated by colons.
  const name = vassalName.replace(/[^\w.-]/g, '_').slice(0, 200);
  return { LISTEN_FDS: String(sockets), LISTEN_FDNAMES: Array.from({ length: sockets }, () => name).join(':') };
}

/** NOTIFY_SOCKET and WATCHDOG_USEC of sd_notify(3) and sd_watchdog_enabled(3), for an instance whose file asks for either. */
export function notifyEnvironment({ ready, health }: Pick<VassalSpec, 'ready' | 'health'>, socket: string): Readonly<Record<string, string>> {
  const watchdogMs = health?.watchdogMs ?? null;
  if (ready.kind !== 'notify' && watchdogMs === null) return {};
  return watchdogMs === null ? { NOTIFY_SOCKET: socket } : { NOTIFY_SOCKET: socket, WATCHDOG_USEC: String(watchdogMs * 1_000) };
}

/** UWSGI_EMPEROR_FD, for an instance with a channel: its end of it comes after the sockets. Source: uWSGI core/emperor.c, uwsgi_check_emperor. */
export function channelEnvironment(sockets: number): Readonly<Record<string, string>> {
  return { UWSGI_EMPEROR_FD: String(FIRST_SOCKET + sockets) };
}

/** The number that our end of the channel has there, after its own. */
export function lentDescriptor(sockets: number): number {
  return FIRST_SOCKET + sockets + 1;
}
