import { printAddress, type Address } from '../core/address.ts';
import { descriptors } from './descriptors.ts';
import { ORDINARY } from './ordinary.ts';
import type { Preset } from './preset.ts';

/** Debian puts the version into the name of the program: php-fpm8.2. The newest is taken. */
const NEWEST = `
program=$(command -v php-fpm || ls /usr/sbin/php-fpm[0-9]* 2>/dev/null | sort -V | tail -n 1)
test -n "$program" || { echo "php-fpm is not installed: apt-get install php-fpm" >&2; exit 127; }
exec "$program" "$@"`;

/**
 * PHP's FastCGI process manager. The app is its configuration file. A pool says `listen = ${FPM_LISTEN}` for the first socket,
 * `${FPM_LISTEN_2}` for the second and so on, or writes a TCP address as the vassal file does; by that name it finds its socket.
 * The name of a unix socket is not its path: php-fpm removes the path of that name when it ends, when it may be its successor's.
 * QUIT finishes requests for as long as `process_control_timeout` of the configuration says; without it they are cut.
 * Source: PHP manual, "FastCGI Process Manager", configuration; php-src, sapi/fpm/fpm/fpm_sockets.c (FPM_SOCKETS, fpm_sockets_cleanup).
 */
export const PHP_FPM: Preset = {
  ...ORDINARY,
  name: 'php-fpm',
  debianPackage: 'php-fpm',
  app: '"php-fpm.conf"',
  takesWorkers: false,
  argv: ({ app }) => ['/bin/sh', '-c', NEWEST, 'php-fpm', '--nodaemonize', '--force-stderr', '--fpm-config', app],
  programs: ['php-fpm', ...['8.5', '8.4', '8.3', '8.2', '8.1', '7.4'].map((version) => `/usr/sbin/php-fpm${version}`)],
  passing: 'fds',
  environment: ({ listen }) => {
    const fds = descriptors({ listen });
    if (listen.length === 0) return {};
    return {
      FPM_SOCKETS: listen.map((address, index) => `${keyOf(address, fds[index])}=${fds[index]}`).join(','),
      ...Object.fromEntries(listen.map((address, index) => [index === 0 ? 'FPM_LISTEN' : `FPM_LISTEN_${index + 1}`, nameOf(address, fds[index])])),
    };
  },
  stopSignal: 'SIGQUIT',
};

/** What a pool has to call its socket. Without a colon it means a unix socket; this one can be neither bound nor removed. */
function nameOf(address: Address, fd: number | undefined): string {
  return address.kind === 'tcp' ? printAddress(address) : `/proc/self/fd/${fd}`;
}

/** By what php-fpm looks up that name: it takes the brackets off an IPv6 address. */
function keyOf(address: Address, fd: number | undefined): string {
  return address.kind === 'tcp' ? `${address.host}:${address.port}` : nameOf(address, fd);
}
