import { execFile, spawn, spawnSync } from 'node:child_process';
import { reasonOf } from '../../errors.ts';
import { sawShortage } from './memory-witness.ts';
import { SLICE } from './unit-name.ts';

/** What systemd knows of a unit. */
export interface UnitState {
  readonly unit: string;
  /** `running`, `exited`, `failed`, `dead` … */
  readonly sub: string;
  /** Of the process that was started; 0: none was. */
  readonly pid: number;
  /** How that has ended, as waitid(2) tells it; null: it has not, as far as systemd knows. */
  readonly ended: { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'killed'; readonly signal: number } | null;
  /** A process of it was killed for lack of memory. */
  readonly outOfMemory: boolean;
  /** Below the root of each hierarchy; empty: it has none any more. */
  readonly cgroup: string;
  /** It was made by systemd-run(1) or its like, and has no file of an administrator. */
  readonly transient: boolean;
}

/** A unit that is being started. */
export interface UnitStart {
  /** Resolves with what systemd had to say, when the unit could not be started. As long as it runs this stays open. */
  readonly refused: Promise<string>;
  /** Its start is no longer of interest; the unit goes on. Resolves when what has started it is gone. */
  leave(): Promise<void>;
}

/** A service manager, by the programs that come with it. */
export interface SystemdPrograms {
  /**
   * @param stdio descriptors that become its standard input, and its output; they may be closed when this returns
   * @param command the whole command line
   */
  start(unit: string, description: string, properties: readonly string[], stdio: readonly [input: number, output: number], command: readonly string[]): UnitStart;
  /** @param pattern a unit, or a pattern of units that are loaded. Empty where nothing is loaded, null where systemd does not answer. */
  show(pattern: string): Promise<readonly UnitState[] | null>;
  /** As {@link SystemdPrograms.show}; everything waits for it. */
  showNow(pattern: string): readonly UnitState[] | null;
  /** SIGKILL to all that is in it. */
  kill(unit: string): Promise<void>;
  /** Ends what is left of it, and has systemd forget how it ended. @returns false: systemd does not answer */
  discard(unit: string): Promise<boolean>;
  /** What it has told lately about a unit, for people. */
  lastWords(unit: string): Promise<string>;
}

const PROPERTIES = '--property=Id,LoadState,SubState,ExecMainPID,ExecMainCode,ExecMainStatus,Result,ControlGroup,ExecStopPost,Transient';
/** A service manager that takes longer is taken for one that does not answer. */
const ANSWER_MS = 10_000;
/** As nothing else is done meanwhile. */
const ANSWER_NOW_MS = 5_000;
const CLD_EXITED = '1';
/** Exit code of systemctl(1) for a unit that is not there. */
const NOT_LOADED = 5;

/**
 * systemctl(1) and systemd-run(1) of this host.
 * @param environment the emperor's own
 * @param user whether it is the manager of a user
 */
export function openSystemdPrograms(environment: Readonly<Record<string, string | undefined>>, user: boolean): SystemdPrograms {
  const known = Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined && /^(?:PATH|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS)$/.test(pair[0]));
  const env = { ...Object.fromEntries(known), LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' };
  const manager = user ? ['--user'] : [];
  /** Its exit code, null where it was not to be had, and what it printed. */
  const run = (file: string, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> =>
    new Promise((resolve) => execFile(file, [...manager, '--quiet', ...args], { env, timeout: ANSWER_MS }, (error, text) => resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, text })));

  return {
    start(unit, description, properties, [input, output], command) {
      const args = [...manager, '--pipe', '--service-type=exec', `--unit=${unit}`, `--slice=${SLICE}`, `--description=${description}`, ...properties.map((each) => `--property=${each}`), '--', ...command];
      // The program is given these three descriptors, too; the third only until it has begun.
      const child = spawn('systemd-run', args, { env, stdio: [input, output, 'pipe'] });
      let said = '';
      child.stderr?.on('data', (piece: Buffer) => (said = `${said}${piece.toString('utf8')}`.slice(-4_096)));
      const refused = new Promise<string>((resolve) => {
        // What it has written last is read in the next turn; the end of the pipe does not come while the unit has it.
        child.once('exit', () => setImmediate(() => resolve(said.trim().replace(/^Running as unit: .*\n?/m, ''))));
        child.once('error', (error) => resolve(reasonOf(error)));
      });
      return {
        refused,
        async leave() {
          child.kill('SIGKILL');
          child.stderr?.destroy();
          await refused;
        },
      };
    },
    async show(pattern) {
      const { code, text } = await run('systemctl', 'show', pattern, PROPERTIES);
      return code === 0 ? parseUnits(text) : null;
    },
    showNow(pattern) {
      const { status, stdout } = spawnSync('systemctl', [...manager, 'show', pattern, PROPERTIES], { env, timeout: ANSWER_NOW_MS, encoding: 'utf8' });
      return status === 0 ? parseUnits(stdout) : null;
    },
    async kill(unit) {
      await run('systemctl', 'kill', '--signal=KILL', unit);
    },
    async discard(unit) {
      // Not waited for: a unit that is ordered before that of the emperor is not stopped while that is being stopped.
      const { code } = await run('systemctl', 'stop', '--no-block', unit);
      if (code !== 0 && code !== NOT_LOADED) return false;
      await run('systemctl', 'reset-failed', unit);
      return true;
    },
    async lastWords(unit) {
      const { code, text } = await run('journalctl', '--no-pager', '--output=cat', '--lines=6', `--unit=${unit}`);
      return code === 0 ? text.trim() : '';
    },
  };
}

/** Understands `systemctl show`: one `NAME=value` a line, and an empty line between units. */
export function parseUnits(text: string): readonly UnitState[] {
  return text.split('\n\n').flatMap((part) => {
    const fields = new Map(part.trim().split('\n').map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    const field = (name: string): string => fields.get(name) ?? '';
    if (field('Id') === '' || field('LoadState') === 'not-found') return [];
    const [code, status] = [field('ExecMainCode'), Number(field('ExecMainStatus'))];
    const ended = code === '' || code === '0' ? null : code === CLD_EXITED ? ({ kind: 'exited', code: status } as const) : ({ kind: 'killed', signal: status } as const);
    return [{ unit: field('Id'), sub: field('SubState'), pid: Number(field('ExecMainPID')), ended, outOfMemory: field('Result') === 'oom-kill' || sawShortage(field('ExecStopPost')), cgroup: field('ControlGroup'), transient: field('Transient') === 'yes' }];
  });
}
