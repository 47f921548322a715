import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { controlClient, type ControlClient } from '../../src/control/client.ts';
import type { EventDocument } from '../../src/control/protocol.ts';
import { EmperorError } from '../../src/errors.ts';
import { freePort } from '../e2e/http.ts';
import { integrityOf } from './database.ts';
import { Files } from './files.ts';
import { household, type Member } from './household.ts';
import { disagreements, generationsApart, growth, lostWithoutReason, missingLines, unsettled, untoldLosses, wrongLines, type Look, type LostRequest, type Stature, type Violation } from './invariants.ts';
import { printedLines } from './ledger.ts';
import { accountAside } from './ledger-thread.ts';
import { Performer } from './performer.ts';
import { planAct, printOperation, type Operation, type OperationKind } from './plan.ts';
import { Reign, type Realm } from './reign.ts';
import { bearers, processTable, signalBearer, statureOf } from './sightings.ts';
import { SmallDisk } from './small-disk.ts';
import { Traffic } from './traffic.ts';
import { Troubles } from './troubles.ts';

/** Between two looks at all that runs. */
const LOOK_EVERY_MS = 500;
/** So many looks in a row have to agree before something that ends by itself counts as wrong. */
const LOOKS_AGREEING = 8;
/** All that was done has to have settled by then. */
const SETTLE_MS = 90_000;
/** What was printed is in the log by then. */
const LOG_MS = 15_000;
const SMALL_DISK_MEGABYTES = 64;
const MOST_PORTS = 40;
/** So much of the history is told; all of it is in a file. */
const HISTORY_LINES = 60;

/** What is told at the end. */
export interface Summary {
  readonly operations: ReadonlyMap<OperationKind, ReadonlyMap<string, number>>;
  readonly answered: number;
  readonly resent: number;
  readonly lost: number;
  readonly lines: number;
  /** With instances that ended unheard, and for want of room on the small disk. */
  readonly linesLost: number;
  readonly emperorDeaths: number;
  readonly adopted: number;
  readonly looks: number;
  readonly quietPoints: readonly Stature[];
}

/** What was found out about a violation. */
export interface Report {
  readonly violations: readonly Violation[];
  readonly operations: readonly string[];
  readonly troubles: readonly string[];
  readonly history: readonly string[];
  readonly folder: string;
}

/** A household under an emperor, and all that befalls them. Leaving its scope ends every process that it started, and unmounts its disk. */
export class Campaign implements AsyncDisposable {
  readonly folder: string;
  readonly #realm: Realm;
  readonly #members: readonly Member[];
  readonly #files: Files;
  readonly #disk: SmallDisk;
  readonly #reign: Reign;
  readonly #client: ControlClient;
  readonly #troubles: Troubles;
  readonly #performer: Performer;
  readonly #say: (line: string) => void;
  readonly #beganMs = performance.now();
  readonly #done: { readonly atMs: number; readonly operation: Operation; outcome: string }[] = [];
  readonly #violations: Violation[] = [];
  readonly #lost: LostRequest[] = [];
  readonly #over = new AbortController();
  readonly #statures: Stature[] = [];
  #traffic: Traffic | null = null;
  #watch: Promise<void> | null = null;
  #looks: readonly Look[] = [];
  #lookCount = 0;
  #lines = 0;
  #linesLost = 0;

  private constructor(ports: readonly number[], say: (line: string) => void) {
    this.#say = say;
    this.folder = mkdtempSync(join(tmpdir(), 'emperor-chaos-'));
    const inside = (name: string): string => join(this.folder, name);
    this.#realm = { folder: this.folder, vassals: inside('vassals'), state: inside('state'), logs: inside('logs'), control: inside('control') };
    for (const each of ['vassals', 'logs', 'counts']) mkdirSync(inside(each));
    const left = [...ports];
    this.#members = household({ folder: this.folder, counts: inside('counts'), ports: () => left.pop()! });
    this.#disk = new SmallDisk(inside('disk'), join(this.#realm.logs, 'small-disk.log'), SMALL_DISK_MEGABYTES);
    this.#files = new Files(this.#realm.vassals, inside('targets'));
    this.#reign = new Reign(this.#realm, this.#now, (what, seen) => this.#violate([{ what, vassal: null, expected: 'not that', seen }]));
    this.#client = controlClient(this.#realm.control, 'chaos', 15_000);
    this.#troubles = new Troubles(this.#now);
    this.#performer = new Performer({
      members: this.#members, files: this.#files, reign: this.#reign, client: this.#client, disk: this.#disk, troubles: this.#troubles,
      onTrouble: (what, vassal, seen) => this.#violate([{ what, vassal, expected: 'not that', seen }]),
    });
  }

  static async open(say: (line: string) => void): Promise<Campaign> {
    const ports = new Set<number>();
    while (ports.size < MOST_PORTS) ports.add(await freePort());
    return new Campaign([...ports], say);
  }

  /** Aborted at the first violation, or by {@link Campaign.stop}. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get violated(): boolean {
    return this.#violations.length > 0;
  }

  stop(): void {
    this.#over.abort();
  }

  /** Starts the emperor and the household; resolves when all of it serves and is asked. */
  async begin(): Promise<void> {
    for (const member of this.#members) this.#files.write(member, null);
    await this.#reign.begin();
    await this.#settle();
    if (this.over.aborted) return;
    this.#traffic = new Traffic(this.#members, this.#beganMs, (lost) => {
      this.#lost.push(lost);
      this.#violate(lostWithoutReason([lost], this.#troubles.all(), this.#reign.absences));
    });
    this.#watch = this.#keepWatch();
  }

  /** Performs an act of the plan; resolves when all is quiet again and was looked at. */
  async act(seed: number, act: number): Promise<void> {
    const beganMs = this.#now();
    const tasks: Promise<void>[] = [];
    for (const { atMs, operation } of planAct(seed, act, this.#members)) {
      await this.#pause(beganMs + atMs - this.#now());
      if (this.over.aborted) break;
      tasks.push(this.#perform(operation));
    }
    if (!this.over.aborted) await Promise.race([Promise.all(tasks), this.#aborted()]);
    if (!this.over.aborted) await this.#settle();
    if (!this.over.aborted) await this.#inspect();
  }

  /** How it went. */
  summary(): Summary {
    const operations = new Map<OperationKind, Map<string, number>>();
    for (const { operation: { kind }, outcome } of this.#done) {
      const outcomes = operations.get(kind) ?? new Map<string, number>();
      operations.set(kind, outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1));
    }
    const counts = this.#traffic?.counts() ?? { answered: 0, resent: 0, lost: 0 };
    return { operations, ...counts, lines: this.#lines, linesLost: this.#linesLost, emperorDeaths: this.#reign.deaths, adopted: this.#reign.adopted, looks: this.#lookCount, quietPoints: this.#statures };
  }

  /** What is known of the violations; asks the emperor if there is one. */
  async report(): Promise<Report> {
    const vassals = new Set(this.#violations.flatMap(({ vassal }) => vassal ?? []));
    const told = this.#done.map(({ atMs, operation, outcome }) => ({ line: `${(atMs / 1000).toFixed(3)} ${printOperation(operation)}: ${outcome}`, about: 'vassal' in operation && vassals.has(operation.vassal) }));
    const history: string[] = [];
    for (const vassal of vassals) {
      try {
        const events: EventDocument[] = [];
        for await (const event of this.#client.events(vassal, 10_000, false)) events.push(event);
        writeFileSync(join(this.folder, `${vassal}.events`), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        history.push(...events.slice(-HISTORY_LINES).map(printEvent));
      } catch (error) {
        if (!(error instanceof EmperorError)) throw error;
        history.push(`(the emperor does not tell the history of ${vassal}: ${error.message})`);
      }
    }
    return {
      violations: this.#violations,
      operations: told.filter(({ about }, index) => about || index >= told.length - 20).map(({ line }) => line),
      troubles: this.#troubles.all().filter(({ vassal }) => vassals.has(vassal)).slice(-12).map((each) => `${each.vassal}: ${each.kind}, ${each.what}, from ${(each.fromMs / 1000).toFixed(3)} to ${(each.untilMs / 1000).toFixed(3)}`),
      history,
      folder: this.folder,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#performer.undo();
    const ended = this.#traffic?.end();
    if (this.#violations.length > 0) await this.#reign.kill();
    else await this.#reign.end(60_000);
    for (let left = bearers(this.#realm.state); left.length > 0; left = bearers(this.#realm.state)) {
      for (const { pid } of left) signalBearer(this.#realm.state, pid, 'SIGKILL');
      await setTimeout(50);
    }
    await ended;
    await this.#watch;
    // An operation that was under way may have begun another one.
    await this.#reign.kill();
    for (const { pid } of bearers(this.#realm.state)) signalBearer(this.#realm.state, pid, 'SIGKILL');
    this.#disk[Symbol.dispose]();
    if (this.#violations.length === 0) rmSync(this.folder, { recursive: true, force: true });
  }

  readonly #now = (): number => performance.now() - this.#beganMs;

  #violate(violations: readonly Violation[]): void {
    if (violations.length === 0 || this.over.aborted) return;
    this.#violations.push(...violations);
    this.#over.abort();
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await Promise.race([setTimeout(ms), this.#aborted()]);
  }

  #aborted(): Promise<void> {
    return new Promise((resolve) => {
      if (this.over.aborted) resolve();
      else this.over.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async #perform(operation: Operation): Promise<void> {
    const entry = { atMs: this.#now(), operation, outcome: 'under way' };
    this.#done.push(entry);
    this.#say(`${(entry.atMs / 1000).toFixed(3).padStart(9)} ${printOperation(operation)}`);
    entry.outcome = await this.#performer.perform(operation);
  }

  async #keepWatch(): Promise<void> {
    while (!this.over.aborted) {
      await this.#pause(LOOK_EVERY_MS);
      const look = await this.#look();
      if (look === null) {
        this.#looks = [];
        continue;
      }
      this.#looks = [...this.#looks.slice(1 - LOOKS_AGREEING), look];
      this.#violate(generationsApart(look.status));
      if (this.#looks.length === LOOKS_AGREEING) this.#violate(disagreements(this.#looks));
    }
  }

  /** null: no emperor was there all the time. */
  async #look(): Promise<Look | null> {
    const { deaths } = this.#reign;
    if (!this.#reign.awake) return null;
    const atMs = this.#now();
    const before = processTable(this.#realm.state);
    try {
      const status = await this.#client.status(null);
      this.#lookCount += 1;
      this.#troubles.seen(status.vassals, atMs);
      const look = { atMs, status, before, after: processTable(this.#realm.state) };
      return this.#reign.awake && this.#reign.deaths === deaths ? look : null;
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      if (this.#reign.awake && this.#reign.deaths === deaths) this.#violate([{ what: 'the emperor does not answer', vassal: null, expected: 'a status', seen: error.message }]);
      return null;
    }
  }

  /** Undoes all that is wrong, then waits until what runs is what is wanted. */
  async #settle(): Promise<void> {
    this.#performer.undo();
    for (const member of this.#members) this.#files.mend(member);
    const deadlineMs = this.#now() + SETTLE_MS;
    for (;;) {
      const look = await this.#look();
      const wrong = look === null ? [] : unsettled(look.status, look.after, this.#members);
      if (this.over.aborted || (look !== null && wrong.length === 0)) return;
      if (this.#now() > deadlineMs) {
        this.#violate(look === null ? [{ what: 'no emperor', vassal: null, expected: 'one that answers', seen: 'none' }] : wrong);
        return;
      }
      for (const { name, want } of look?.status.vassals ?? []) {
        if (want !== 'up') await this.#performer.order({ verb: want === 'down' ? 'start' : 'resume' }, name, 'socket');
      }
      await this.#pause(LOOK_EVERY_MS);
    }
  }

  async #inspect(): Promise<void> {
    const look = await this.#look();
    const integrity = integrityOf(join(this.#realm.state, 'emperor.db'));
    if (integrity !== 'ok') this.#violate([{ what: 'the database is damaged', vassal: null, expected: 'ok', seen: integrity }]);
    const { pid } = this.#reign;
    if (pid !== null && look !== null) {
      const stature = { pid, ...statureOf(pid), instances: look.status.vassals.reduce((sum, each) => sum + each.instances.length, 0) };
      this.#say(`          quiet: ${JSON.stringify(stature)}`);
      this.#statures.push(stature);
      const first = this.#statures.find((each) => each.pid === pid) ?? stature;
      this.#violate([...growth(this.#statures[0] ?? stature, stature), ...growth(first, stature)]);
    }
    await this.#inspectLogs();
  }

  async #inspectLogs(): Promise<void> {
    const printed = printedLines(join(this.folder, 'counts'));
    const deadlineMs = this.#now() + LOG_MS;
    for (;;) {
      const accounts = await accountAside({ logs: this.#realm.logs, printed, unheard: this.#reign.unheard });
      const small = new Set(this.#members.filter((member) => member.onSmallDisk).map(({ name }) => name));
      // They are written, and then taken out of the FIFO: an emperor that is killed between leaves a portion that is written again.
      const transformed = new Set(this.#reign.deaths > 0 ? this.#members.filter((member) => member.transformed).map(({ name }) => name) : []);
      const wrong = [...wrongLines(accounts.filter(({ vassal }) => !small.has(vassal)), transformed), ...untoldLosses(accounts.filter(({ vassal }) => small.has(vassal)), this.#reign.losses, this.#reign.deaths)];
      if (wrong.length === 0) {
        this.#lines = accounts.reduce((sum, each) => sum + each.found.size, 0);
        this.#linesLost = accounts.reduce((sum, each) => sum + missingLines(each).length, 0);
        return;
      }
      if (this.#now() > deadlineMs) {
        this.#violate(wrong);
        return;
      }
      await this.#pause(LOOK_EVERY_MS);
    }
  }
}

/** A line of `emperor events --json`, without what is null, and without what all of them have in common. */
function printEvent({ name, ...event }: EventDocument): string {
  return `${name} ${JSON.stringify(Object.fromEntries(Object.entries(event).filter(([key, value]) => value !== null && key !== 'file')))}`;
}
