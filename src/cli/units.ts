import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which emperor, of whom. */
export interface UnitRequest {
  /** One of the user's own, without root. */
  readonly user: boolean;
  /** One of several; null: the only one. */
  readonly name: string | null;
  /** Major version of the systemd that is to read them. */
  readonly systemd: number;
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of the launcher. */
  readonly launcher: string;
}

/** A file for systemd. */
export interface UnitFile {
  /** Below the folder of units. */
  readonly path: string;
  readonly text: string;
}

/** DelegateSubgroup= and RestartSteps= came with it. */
const SUBGROUPS_SINCE = 254;
/** What the unit files of the package run. */
const PROGRAM = '/usr/bin/emperor';
const PACKAGE = new URL('../..', import.meta.url).pathname;

/** The launcher of this installation. */
export const LAUNCHER: string = join(PACKAGE, 'src/emperor.mjs');

/** The name of the unit. */
export function unitName({ name }: Pick<UnitRequest, 'name'>): string {
  return name === null ? 'emperor.service' : `emperor@${name}.service`;
}

/** The unit files of the package (its folder `systemd`), with the paths of an installation in them. */
export function unitFiles({ user, name, systemd, node, launcher }: UnitRequest): readonly UnitFile[] {
  const read = (file: string): string => readFileSync(join(PACKAGE, 'systemd', file), 'utf8');
  const program = `${word(node)} ${word(launcher)}`;
  const placed = (text: string): string => text.replaceAll(`${PROGRAM} `, () => `${program} `);
  const service = name === null ? 'emperor.service' : 'emperor@.service';
  const newer = systemd < SUBGROUPS_SINCE ? [] : [{ path: `${service}.d/254.conf`, text: read('systemd-254.conf') }];
  if (user) return [{ path: service, text: placed(read(`user/${service}`)) }, ...newer];
  return [{ path: service, text: placed(read(service)) }, ...newer, { path: 'emperor.slice', text: read('emperor.slice') }];
}

/** A path as a word of a command line in a unit: systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers". */
function word(path: string): string {
  const text = path.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w/.@:+,%$-]+$/.test(text) ? text : `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
