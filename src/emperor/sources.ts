import { fileURLToPath } from 'node:url';
import type { Look } from '../core/listing.ts';
import { EmperorError } from '../errors.ts';
import { openLeases } from '../kernel/lease.ts';
import type { Libc } from '../kernel/libc.ts';
import { watchAppearance } from '../monitors/appearance.ts';
import { openChokidarHints } from '../monitors/chokidar-hints.ts';
import type { Manner } from '../monitors/manner.ts';
import type { Monitor } from '../monitors/monitor.ts';
import { openMonitor } from '../monitors/registry.ts';
import { openTrust, trustedBy, type Trust } from '../monitors/trust.ts';
import type { Clock } from '../world/clock.ts';
import type { Settings } from './settings.ts';

/** All the places that vassals come from, as one part of the emperor. */
export interface Sources extends AsyncDisposable {
  /** As people name them, in order. */
  readonly names: readonly string[];
  /** Resolves when every source was looked at once. */
  start(): Promise<void>;
  /** Looks at all of them again. */
  rescan(): Promise<void>;
  /** Calls back once when one of the paths appears or changes; the returned function ends the wait. */
  readonly awaitAppearance: (paths: readonly string[], onAppear: () => void) => () => void;
}

export interface SourceTools {
  readonly libc: Libc;
  readonly clock: Clock;
  readonly onTrouble: (message: string) => void;
  readonly look: (source: string, look: Look) => void;
}

/**
 * Opens the monitors of an emperor.
 * @param sources as the operator wrote them; relative ones are relative to `base`
 * @throws E_SETTINGS for a source of an unknown kind, or one that is named twice
 */
export function openSources(settings: Pick<Settings, 'sources' | 'rescanMs' | 'allowWritable' | 'treatment'>, base: string, tools: SourceTools): Sources {
  const hints = openChokidarHints(tools.clock, tools.onTrouble);
  const shared = { clock: tools.clock, hints, leases: openLeases(tools.libc), trust: trustOf(settings), ...mannerOf(settings), rescanMs: settings.rescanMs, onTrouble: tools.onTrouble };
  const monitors: readonly Monitor[] = settings.sources.map((source) => openMonitor(source, base, shared));
  const names = monitors.map((monitor) => monitor.source);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new EmperorError('E_SETTINGS', `the source ${twice} is named twice`);
  return {
    names,
    start: async () => {
      await Promise.all(monitors.map((monitor) => monitor.start((look) => tools.look(monitor.source, look))));
    },
    rescan: async () => {
      await Promise.all(monitors.map((monitor) => monitor.rescan()));
    },
    awaitAppearance: (paths, onAppear) => watchAppearance(paths, hints, onAppear),
    async [Symbol.asyncDispose]() {
      await Promise.all(monitors.map((monitor) => monitor[Symbol.asyncDispose]()));
      await hints[Symbol.asyncDispose]();
    },
  };
}

/** How the monitors are to look at files; none: plainly. */
export function mannerOf({ treatment }: Pick<Settings, 'treatment'>): { readonly manner?: Manner } {
  if (treatment === undefined) return {};
  const { tyrant, nofollow, extensions, magicExec } = treatment;
  return { manner: { tyrant: tyrant === null ? null : { nofollow: tyrant.nofollow }, nofollow, extensions, magicExec } };
}

/** Whoever writes a vassal file has the rights of root, if the emperor is root. Others have no rights to give away but their own. */
function trustOf({ allowWritable }: Pick<Settings, 'allowWritable'>): Trust | null {
  const trusted = allowWritable || process.geteuid?.() !== 0 ? null : trustedBy(fileURLToPath(import.meta.url));
  return trusted === null ? null : openTrust(trusted);
}
