import type { Address } from '../core/address.ts';
import type { Passing, Readiness, Reload, SignalName } from '../core/spec.ts';

/** What the emperor knows of one app server: how it is started, reloaded and stopped. Data more than code. */
export interface Preset {
  /** As `server` names it in a vassal file. */
  readonly name: string;
  /** Debian's package with its program, for the hint where it is missing. */
  readonly debianPackage: string;
  /** How an app is written for it, e.g. `"shop:app"`; null: it takes none. */
  readonly app: string | null;
  /** Whether `workers` means anything to it. */
  readonly takesWorkers: boolean;
  /** Its command line; the program is looked up in PATH. */
  argv(request: PresetRequest): readonly [string, ...string[]];
  /** One of these has to be there beside what `argv` begins with: for a server that is started by way of another program. In PATH, or absolute. */
  readonly programs?: readonly string[];
  /** How it takes sockets that the emperor holds; null: it cannot, and `listen` is a fault. */
  readonly passing: Passing | null;
  /** Variables that it needs beside those of the file, which win. */
  environment?(request: PresetRequest): Readonly<Record<string, string>>;
  /** It speaks the protocol of the uWSGI Emperor: it is told to reload and to stop on a channel, unless the file names signals. */
  readonly channel?: true;
  /** It reads the vassal file itself: the path of that is in its command line. */
  readonly readsFile?: true;
  /** Without `listen`. With it, and with sockets passed as descriptors, the reload is an overlap. */
  readonly reload: Reload;
  /** Makes it finish its requests, then end. */
  readonly stopSignal: SignalName;
  readonly stopTimeoutMs: number;
  /** Without `listen`. */
  readonly ready: Readiness;
  /** With `listen`. */
  readonly readyListening: Readiness;
}

/** Arguments that every program of a kind gets, in front of those for its file and behind them. */
export interface SharedArguments {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** What a vassal file asks of a preset. */
export interface PresetRequest {
  /** Empty where the preset takes none. */
  readonly app: string;
  readonly workers: number | null;
  /** What the emperor opens for it, in the order of the descriptors, which begin at 3. */
  readonly listen: readonly Address[];
  /** Absolute path of the vassal file, links not resolved. */
  readonly file: string;
  /** The file is a program that prints what it says. Absent: it is not. */
  readonly printed?: boolean;
  /** The file names the descriptors of its sockets itself, for a server that reads it. Absent: it does not. */
  readonly namesSockets?: boolean;
  /** The file names an app for a server that reads it itself. Absent: it does not, or nobody knows. */
  readonly loadsApp?: boolean;
  /** For those that read the file themselves. Absent: none. */
  readonly shared?: SharedArguments;
}
