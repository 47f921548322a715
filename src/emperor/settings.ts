import type { Address } from '../core/address.ts';
import type { GeneralHooks } from '../config/hook-keys.ts';
import type { Demand } from '../runner/demand.ts';
import type { Confinement } from '../runner/launch-plan.ts';
import type { LogLevel } from '../world/logger.ts';

/** A program, and its arguments without its own name. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  /** With these it only proves that it could be the emperor. */
  readonly rehearsal: readonly string[];
}

/** How vassal files are taken, as operators of a uWSGI Emperor may choose. */
export interface Treatment {
  /** Each instance runs as the owner of its file; null: as its keys say. */
  readonly tyrant: { readonly nofollow: boolean; readonly keys: readonly string[]; readonly options: readonly string[] } | null;
  readonly noNewPrivileges: boolean;
  /** Capabilities that instances can have; null: all. */
  readonly capabilities: readonly string[] | null;
  /** Further ends of names of vassal files. */
  readonly extensions: readonly string[];
  readonly nofollow: boolean;
  readonly magicExec: boolean;
  /** Vassals are started by orders only, but for those of these names; null: by their files. */
  readonly waitForCommand: { readonly ignore: readonly string[] } | null;
  /** How it is found out which files of uWSGI are on demand; null: they say so themselves. */
  readonly demand: Demand | null;
  /** Arguments that every uWSGI gets. */
  readonly uwsgi: { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** What one emperor is run with: flags, environment, configuration file and defaults, resolved. No option is optional past this point. */
export interface Settings {
  /** Places of vassal files, in order: where two files have one name, the earlier source wins. Folders, `dir://`, `glob://`. */
  readonly sources: readonly string[];
  /** Absolute path of the folder for the database and the FIFOs. */
  readonly state: string;
  /** Absolute path of the control socket. */
  readonly control: string;
  /** Group that may use the control socket, by name or number; null: the emperor's own. */
  readonly controlGroup: string | null;
  /** Absolute path of the command socket of uWSGI's Emperor; null: there is none. */
  readonly commandSocket: string | null;
  /** As root: vassal files count that others than root can write, too. */
  readonly allowWritable: boolean;
  /** Absolute path of the folder for the output of the vassals. */
  readonly logs: string;
  readonly logLevel: LogLevel;
  /** Every source is looked at again after this, hint or no hint. 0: only on hints. */
  readonly rescanMs: number;
  /** Starts that are judged at one time, 1 or more. */
  readonly maxStarting: number;
  /** cgroups of instances: `auto`: where the emperor's own was delegated to it; `none`; or the absolute path of a cgroup v2 that may be used. */
  readonly cgroup: string;
  /** Absent: plainly. */
  readonly treatment?: Treatment;
  /** Files that each process of an instance may have open if its file does not say: what the emperor was started with; null: nobody knows, so as many as the emperor. */
  readonly files: number | null;
  /** For `$(NAME)` in vassal files, and PATH for finding programs. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Who started the emperor, for the history: a user name, or `systemd`. */
  readonly startedBy: string;
  /** How this process was started: the same again is its successor. */
  readonly program: Program;
  /** Those of all vassals. */
  readonly hooks: GeneralHooks;
  /** Where the statistics of a uWSGI Emperor are told; null: nowhere. */
  readonly stats: Address | null;
  /** As a vassal of another Emperor: so often it says that it is well; null: never. */
  readonly heartbeatMs: number | null;
  /** They are told by HTTP. */
  readonly statsHttp: boolean;
  /** The log goes to a terminal: readable lines instead of JSON. */
  readonly readable: boolean;
}

/** Settings that an emperor has for life. */
const FIXED = ['sources', 'allowWritable', 'state', 'control', 'controlGroup', 'commandSocket', 'logs', 'rescanMs', 'maxStarting', 'cgroup', 'treatment', 'hooks', 'stats', 'statsHttp', 'heartbeatMs'] as const;

/** Those of them that somebody wants to be others now. */
export function changedForLife(settings: Settings, wanted: Settings): readonly string[] {
  return FIXED.filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(settings[key]));
}

/** What instances can never have again; none: nothing is taken from them. */
export function confinementOf({ treatment }: Settings): { readonly confinement?: Confinement } {
  if (treatment === undefined || (!treatment.noNewPrivileges && treatment.capabilities === null)) return {};
  return { confinement: { noNewPrivileges: treatment.noNewPrivileges, capabilities: treatment.capabilities } };
}
