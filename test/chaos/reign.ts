import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Absence, ToldLoss } from './invariants.ts';
import { processTable } from './sightings.ts';

/** The built emperor. */
export const MAIN: string = new URL('../../dist/main.js', import.meta.url).pathname;

/** What an instance had printed that ended so short before its emperor, or before that became deaf, may not have been written yet. */
const RECENT_MS = 5_000;

/** Folders of all emperors of a run. */
export interface Realm {
  readonly folder: string;
  readonly vassals: string;
  readonly state: string;
  readonly logs: string;
  readonly control: string;
}

/** One emperor after the other on the same folders. */
export class Reign {
  readonly realm: Realm;
  readonly #now: () => number;
  readonly #onTrouble: (what: string, seen: string) => void;
  #child: ChildProcess | null = null;
  #awayFromMs: number | null = 0;
  #killed = false;
  #frozen = false;
  #upgrading = false;
  #onReigns: () => void = () => {};
  readonly #absences: Absence[] = [];
  readonly losses: ToldLoss[] = [];
  /** Instances that ended while there was no emperor, or so short before that it may not have read their last words. */
  readonly unheard: Set<string> = new Set();
  /** When the last one died, wall time: who has printed something since, and does not live any more, was started in its last moment or has outlived it. */
  #diedMs = Infinity;
  /** When it last heard nobody, as it was held still or made way for the next program; wall time. */
  #deaf: { readonly fromMs: number; readonly untilMs: number } = { fromMs: 0, untilMs: 0 };
  deaths = 0;
  adopted = 0;

  constructor(realm: Realm, now: () => number, onTrouble: (what: string, seen: string) => void) {
    this.realm = realm;
    this.#now = now;
    this.#onTrouble = onTrouble;
  }

  /** The process that reigns, or begins to; null: there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** It reigns, and was not told to hold still. */
  get awake(): boolean {
    return this.#awayFromMs === null && !this.#frozen && !this.#upgrading;
  }

  /** Times without an emperor, until now. */
  get absences(): readonly Absence[] {
    return this.#awayFromMs === null ? this.#absences : [...this.#absences, { fromMs: this.#awayFromMs, untilMs: Infinity }];
  }

  /** Starts one and waits until it reigns. */
  async begin(): Promise<void> {
    const { vassals, state, logs, control, folder } = this.realm;
    this.#listen();
    const args = [MAIN, 'run', vassals, '--state', state, '--logs', logs, '--control', control];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' } });
    this.#child = child;
    this.#note(`pid ${child.pid} begins`);
    this.#killed = false;
    const exited = once(child, 'exit').then(([code, signal]) => {
      this.#child = null;
      if (!this.#killed) this.#onTrouble('the emperor ended by itself', `exit code ${code}, signal ${signal}; see ${join(folder, 'emperor.log')}`);
    });
    const reigns = new Promise<void>((resolve) => (this.#onReigns = resolve));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        appendFileSync(join(folder, 'emperor.log'), `${line}\n`);
        if (this.#hear(line)) this.#onReigns();
      });
    }
    await Promise.race([reigns, exited]);
    if (this.#child === child && !this.#killed) this.#arrive();
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#killed = true;
    this.#frozen = false;
    this.#awayFromMs ??= this.#now();
    this.deaths += 1;
    const exited = once(child, 'exit');
    // Who lives when it is looked at may have ended before the emperor has.
    const lookedMs = Date.now() - RECENT_MS;
    for (const instance of this.#recent()) this.unheard.add(instance);
    this.#deaf = { fromMs: 0, untilMs: 0 };
    this.#diedMs = Math.min(this.#diedMs, lookedMs);
    child.kill('SIGKILL');
    this.#note(`pid ${child.pid} is killed; unheard are ${[...this.unheard].join(' ')}`);
    await exited;
  }

  #deafen(begins: boolean): void {
    const isOver = this.#deaf.untilMs < Infinity;
    if (begins && isOver) this.#deaf = { fromMs: Date.now(), untilMs: Infinity };
    else if (!begins && !isOver && !this.#frozen && !this.#upgrading) this.#deaf = { ...this.#deaf, untilMs: Date.now() };
  }

  /** What was done to it, among what it says. */
  #note(text: string): void {
    appendFileSync(join(this.realm.folder, 'emperor.log'), `# ${new Date().toISOString()} ${text}\n`);
  }

  /** Instances that have ended by now, and that have printed something of late that it may not have read. */
  #recent(): readonly string[] {
    const nowMs = Date.now();
    return this.#endedSince(this.#deaf.untilMs > nowMs - RECENT_MS ? this.#deaf.fromMs - RECENT_MS : nowMs - RECENT_MS);
  }

  #endedSince(sinceMs: number): readonly string[] {
    const alive = new Set(processTable(this.realm.state).map(({ instance }) => instance));
    const counts = join(this.realm.folder, 'counts');
    return readdirSync(counts).filter((instance) => !alive.has(instance) && statSync(join(counts, instance)).mtimeMs >= sinceMs);
  }

  /** Holds it still, or lets it go on. */
  freeze(frozen: boolean): void {
    if (this.#child?.kill(frozen ? 'SIGSTOP' : 'SIGCONT') !== true || this.#frozen === frozen) return;
    this.#frozen = frozen;
    this.#deafen(frozen);
  }

  /**
   * Re-executes it in place; resolves when it reigns again, or has died. That is no absence: nothing may be lost with it.
   * @returns false: there was none that could be asked
   */
  async upgrade(): Promise<boolean> {
    const child = this.#child;
    if (child === null || !this.awake) return false;
    this.#upgrading = true;
    this.#deafen(true);
    const again = new Promise<void>((resolve) => (this.#onReigns = resolve));
    const exited = once(child, 'exit');
    child.kill('SIGUSR2');
    await Promise.race([again, exited]);
    this.#upgrading = false;
    this.#deafen(false);
    return true;
  }

  /** Tells it to end with all that it runs; after `patienceMs` it is killed. */
  async end(patienceMs: number): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#killed = true;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await exited;
    clearTimeout(timer);
  }

  /** True if it says that it reigns. */
  #hear(line: string): boolean {
    if (!line.startsWith('{')) return false;
    const { msg, code, vassal, lines, over, adopted, err } = JSON.parse(line) as Record<string, unknown>;
    if (code === 'E_BUG') this.#onTrouble('the emperor met a bug', JSON.stringify(err ?? line));
    if (code === 'E_LOG' && vassal === 'small-disk') this.losses.push({ lines: Number(lines), over: over === true });
    if (msg === 'reigns') this.adopted += Number(adopted);
    return msg === 'reigns';
  }

  /** Who ended between the death of one emperor and the moment at which the next one takes over has ended unheard: the FIFOs are open from then on. */
  #listen(): void {
    for (const instance of this.#endedSince(this.#diedMs)) this.unheard.add(instance);
  }

  #arrive(): void {
    this.#listen();
    this.#note(`pid ${this.#child?.pid} reigns; unheard ${[...this.unheard].join(' ')}`);
    this.#diedMs = Infinity;
    if (this.#awayFromMs !== null) this.#absences.push({ fromMs: this.#awayFromMs, untilMs: this.#now() });
    this.#awayFromMs = null;
  }
}
