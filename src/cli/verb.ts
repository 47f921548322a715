import { homedir, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ControlClient } from '../control/client.ts';
import { defaultPaths, type Whereabouts } from './paths.ts';
import type { Terminal } from './terminal.ts';

/**
 * Tells commander of one verb. Its action loads what it needs when it is called, so that no verb pays for another one.
 * What the action resolves with through {@link Cli.ends} is the exit code.
 */
export type DeclareVerb = (program: Command, cli: Cli) => void;

/** What a verb gets of its surroundings. */
export interface Cli extends Whereabouts {
  readonly terminal: Terminal;
  /** Who runs this. */
  readonly actor: string;
  /** What the history is told of who asks, beside what the kernel says: who called sudo; null: nothing. */
  readonly claim: string | null;
  /** Sets the exit code. */
  ends(exitCode: number): void;
}

/** The flag by which a client verb finds the emperor. */
export interface ControlOption {
  readonly control?: string;
}

/** Adds {@link ControlOption} to a verb. */
export function withControl(command: Command): Command {
  return command.option('--control <path>', 'control socket of the emperor (environment: EMPEROR_CONTROL)');
}

/** The control socket: by flag, then EMPEROR_CONTROL, then the default. Absolute. */
export function controlPath({ control }: ControlOption, where: Whereabouts): string {
  const given = control ?? where.environment['EMPEROR_CONTROL'];
  return given === undefined || given === '' ? defaultPaths(where).control : resolve(given);
}

/** A client of the emperor that is meant. */
export async function connect(options: ControlOption, cli: Cli): Promise<ControlClient> {
  const { controlClient } = await import('../control/client.ts');
  return controlClient(controlPath(options, cli), cli.claim);
}

/** Whose defaults apply in this process. */
export function whereabouts(environment: NodeJS.ProcessEnv): Whereabouts {
  // A copy: each look into process.env itself asks the C library.
  return { root: process.geteuid?.() === 0, home: homedir(), environment: { ...environment } };
}

/** Who called sudo(8), as its environment says; null: nobody. */
export function sudoCaller(environment: NodeJS.ProcessEnv): string | null {
  const caller = environment['SUDO_USER'];
  return caller === undefined || caller === '' ? null : `${caller} (sudo)`;
}

/** The user of this process. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    // No entry in the user database, as in many containers.
    return `uid ${process.geteuid?.() ?? '?'}`;
  }
}
