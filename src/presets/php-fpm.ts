import { printAddress, type Address } from '../core/address.ts';
import { ACCEPTING } from './accepting.ts';
import { descriptors } from './descriptors.ts';
import type { Preset } from './preset.ts';

/** Debian puts the version into the name of the program: php-fpm8.2. The newest wins. */
const NEWEST = `exec "$(command -v php-fpm || ls /usr/sbin/php-fpm[0-9]* | sort -V | tail -n 1)" "$@"`;

/**
 * PHP's FastCGI process manager. The app is its configuration file, whose pools name their address in `listen` exactly as the vassal
 * file does; by that name each finds its socket. Source: PHP manual, "FastCGI Process Manager"; php-src, fpm_sockets.c (FPM_SOCKETS).
 */
export const PHP_FPM: Preset = {
  name: 'php-fpm',
  debianPackage: 'php-fpm',
  app: '"php-fpm.conf"',
  takesWorkers: false,
  argv: ({ app }) => ['/bin/sh', '-c', NEWEST, 'php-fpm', '--nodaemonize', '--force-stderr', '--fpm-config', app],
  passing: 'fds',
  environment: ({ listen }) => {
    const fds = descriptors({ listen });
    return listen.length === 0 ? {} : { FPM_SOCKETS: listen.map((address, index) => `${poolName(address)}=${fds[index]}`).join(',') };
  },
  reload: { kind: 'restart' },
  stopSignal: 'SIGQUIT',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
  readyListening: ACCEPTING,
};

function poolName(address: Address): string {
  return address.kind === 'unix' ? address.path : printAddress(address);
}
