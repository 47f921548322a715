import { resolve } from 'node:path';
import { generalHooksOf } from '../config/settings.ts';
import type { Address } from '../core/address.ts';
import type { Program, Settings } from '../emperor/settings.ts';
import type { LogLevel } from '../world/logger.ts';
import { defaultPaths, type Whereabouts } from './paths.ts';
import type { Configured } from './read-config.ts';
import { treatmentOf, type DemandFlags } from './treatment.ts';

/** Flags of `run`. */
export interface RunFlags extends DemandFlags {
  readonly state?: string;
  readonly control?: string;
  readonly controlGroup?: string;
  readonly commandSocket?: string;
  readonly waitForCommand?: boolean;
  readonly logs?: string;
  readonly allowWritable?: boolean;
  readonly config?: string;
  readonly tyrant?: boolean;
  /** The sources are the command line of a uWSGI Emperor. */
  readonly emperorCompat?: boolean;
  readonly logLevel?: LogLevel;
  /** Parsed already, in ms. */
  readonly rescan?: number;
  /** Only prove that it could be done. */
  readonly rehearse?: boolean;
  /** Parsed already. */
  readonly stats?: Address;
  readonly statsHttp?: boolean;
  /** Parsed already, in ms. */
  readonly heartbeat?: number;
}

/** The configuration file, and whether it has to be there: only one that was named has to. */
export function configFile(flags: RunFlags, where: Whereabouts): { readonly path: string; readonly named: boolean } {
  const named = flags.config ?? variable(where, 'EMPEROR_CONFIG');
  return { path: resolve(named ?? defaultPaths(where).config), named: named !== null };
}

/** Flags, then the environment, then the configuration file, then the defaults. Relative paths count from the working directory. */
export function resolveSettings(
  sources: readonly string[], flags: RunFlags, configured: Configured, where: Whereabouts, process: { readonly startedBy: string; readonly readable: boolean; readonly cores: number; readonly program: Program },
): Settings {
  const paths = defaultPaths(where);
  return {
    sources: sources.length > 0 ? sources : configured.sources ?? [paths.source],
    state: resolve(flags.state ?? stateVariable(where) ?? configured.state ?? paths.state),
    control: resolve(flags.control ?? variable(where, 'EMPEROR_CONTROL') ?? configured.control ?? paths.control),
    controlGroup: flags.controlGroup ?? configured['control-group'] ?? null,
    commandSocket: absolute(flags.commandSocket ?? configured['command-socket'] ?? null),
    logs: resolve(flags.logs ?? variable(where, 'EMPEROR_LOGS') ?? configured.logs ?? paths.logs),
    allowWritable: flags.allowWritable ?? configured['allow-writable'] ?? false,
    logLevel: flags.logLevel ?? configured['log-level'] ?? 'info',
    rescanMs: flags.rescan ?? configured.rescan ?? DEFAULT_RESCAN_MS,
    maxStarting: configured['max-starting'] ?? process.cores * STARTS_A_CORE,
    cgroup: variable(where, 'EMPEROR_CGROUP') ?? configured.cgroup ?? 'auto',
    files: filesOf(variable(where, 'EMPEROR_NOFILE')),
    hooks: generalHooksOf(configured),
    stats: flags.stats ?? configured.stats ?? null,
    statsHttp: flags.statsHttp ?? configured['stats-http'] ?? false,
    heartbeatMs: flags.heartbeat ?? configured.heartbeat ?? null,
    ...treatmentOf(configured, flags),
    environment: where.environment,
    startedBy: process.startedBy,
    program: process.program,
    readable: process.readable,
  };
}

function absolute(path: string | null): string | null {
  return path === null ? null : resolve(path);
}

/** Said by the launcher: Node itself raises the limit to the highest one as it starts, and then nobody knows any more what it was. */
function filesOf(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** Hints can be lost (a network file system gives none); looking costs 134 ms for 10,000 files. */
const DEFAULT_RESCAN_MS = 60_000;

/** A start is mostly work, and some waiting. */
const STARTS_A_CORE = 2;

/** In the environment of an instance it is the mark of who started that: an emperor that is itself a vassal has a folder of its own. */
function stateVariable(where: Whereabouts): string | null {
  return variable(where, 'EMPEROR_INSTANCE') === null ? variable(where, 'EMPEROR_STATE') : null;
}

/** A variable of the environment; an empty one counts as absent. */
function variable({ environment }: Whereabouts, name: string): string | null {
  const value = environment[name];
  return value === undefined || value === '' ? null : value;
}
