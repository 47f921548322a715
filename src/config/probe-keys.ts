import type { Address } from '../core/address.ts';
import { ADDRESS } from './address-form.ts';
import { COMMAND, type Argv } from './command-form.ts';
import type { Form } from './form.ts';
import { HTTP, STATUS, type HttpQuestion } from './http-form.ts';
import { key, type Keys } from './keys.ts';
import { PATTERN } from './pattern-form.ts';
import { BOOLEAN, integer } from './single-forms.ts';
import { duration } from './units.ts';

/** The keys by which an instance is asked. */
export interface ProbeKeys {
  readonly http: HttpQuestion;
  /** true: the first address of `listen`; false: as if the key were not there. */
  readonly tcp: boolean | Address;
  readonly command: Argv;
  readonly status: readonly [number, number];
  readonly body: string;
  readonly interval: number;
  readonly timeout: number;
}

/** The keys of `ready`. */
export interface ReadyKeys extends ProbeKeys {
  readonly after: number;
  readonly log: string;
  readonly notify: boolean;
}

/** The keys of `health`. */
export interface HealthKeys extends ProbeKeys {
  readonly watchdog: number;
  readonly failures: number;
  readonly grace: number;
}

/** Who asks more often keeps a host busy with it. */
const LEAST_INTERVAL_MS = 10;

/** An instance should say it at half of the time, sd_watchdog_enabled(3): with less, a busy host looks like a sick instance. */
const LEAST_WATCHDOG_MS = 100;

const TCP: Form<boolean | Address> = {
  label: 'true, or an address',
  hint: `write true for the first address of "listen"; else ${ADDRESS.hint}`,
  read: (node, place) => (node.kind === 'scalar' && /^(true|false)$/.test(node.source) ? node.source === 'true' : ADDRESS.read(node, place)),
};

export const READY: Keys<ReadyKeys> = {
  after: key(duration(), '1s', '"1s"', 'it is still alive after this time'),
  ...probeKeys('50ms'),
  log: key(PATTERN, '', '"^listening on"', 'it prints a line that matches this regular expression'),
  notify: key(BOOLEAN, 'false', 'true', 'it says so itself: sd_notify(3), `READY=1`'),
};

export const HEALTH: Keys<HealthKeys> = {
  ...probeKeys('10s'),
  failures: key(integer(1, 1000), '3', '3', 'so many bad answers in a row make it sick'),
  grace: key(duration(), '0s', '"10s"', 'it is not asked for so long after it became ready'),
  watchdog: key(duration(LEAST_WATCHDOG_MS), 'none', '"10s"', 'it has to say `WATCHDOG=1` at least this often, sd_notify(3)'),
};

function probeKeys(interval: string): Keys<ProbeKeys> {
  return {
    http: key(HTTP, '', '"/health"', 'it answers HTTP: a path at the first address of `listen`, or a URL like `http://127.0.0.1:9000/health` or `http://unix:/run/shop.sock:/health`'),
    tcp: key(TCP, '', 'true', 'it takes connections at the first address of `listen` (true), or at an address'),
    command: key(COMMAND, '', '["/usr/bin/test", "-e", "up"]', 'this command ends with exit code 0; it runs as the instance does'),
    status: key(STATUS, '200-399', '"200-399"', 'the statuses of `http` that are good'),
    body: key(PATTERN, 'any', '"^ok"', 'the answer to `http` has to match this regular expression'),
    interval: key(duration(LEAST_INTERVAL_MS), interval, `"${interval}"`, 'the time between two questions'),
    timeout: key(duration(LEAST_INTERVAL_MS), '5s', '"5s"', 'an answer that takes longer is a bad one'),
  };
}
