import type { Preset } from '../presets/preset.ts';
import type { Argv } from './command-form.ts';
import type { Program } from './program.ts';

/**
 * What is known of a program: of a server its preset; of a command only whether it speaks the protocol of uWSGI's Emperor. null: nothing.
 * @param governs it is an Emperor of uWSGI: it does not say when its reload is over, in which it stops all of its vassals anyway
 */
export function knownOf(program: Program | undefined, channel: boolean, governs: boolean): Preset | null {
  if (program === undefined) return null;
  if (program.kind === 'server') return governs && program.preset.reload.kind === 'channel' ? { ...program.preset, reload: { kind: 'restart' } } : program.preset;
  return channel ? conversant(program.argv) : null;
}

/** A command that does, as a preset: it is told all that it has to know on its channel. TERM is for when it has none any more. */
function conversant(argv: Argv): Preset {
  return {
    name: argv[0],
    debianPackage: '',
    app: null,
    takesWorkers: false,
    argv: () => argv,
    passing: 'listen-fds',
    channel: true,
    reload: { kind: 'channel' },
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 30_000,
    ready: { kind: 'channel' },
    readyListening: { kind: 'channel' },
  };
}
