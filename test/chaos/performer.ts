import { execFile } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { ControlClient } from '../../src/control/client.ts';
import type { Demand } from '../../src/control/protocol.ts';
import { EmperorError } from '../../src/errors.ts';
import type { Files } from './files.ts';
import type { Member } from './household.ts';
import type { Operation, Voice } from './plan.ts';
import { MAIN, type Reign } from './reign.ts';
import { processTable, signalBearer } from './sightings.ts';
import type { SmallDisk } from './small-disk.ts';
import type { Troubles } from './troubles.ts';

/** How long an order may take. */
const ORDER_MS = 60_000;
/** What a killed instance had accepted is lost with it; and what its last answers cross. */
const KILL_MS = 500;
/** What acting verbs may end with, README, *Exit codes*. */
const EXIT_CODES = new Set([0, 1, 4, 7, 75, 78]);
const REFUSALS = new Set(['E_NO_EMPEROR', 'E_NO_VASSAL', 'E_TIMEOUT']);

/** What the performer works on. */
export interface Stage {
  readonly members: readonly Member[];
  readonly files: Files;
  readonly reign: Reign;
  readonly client: ControlClient;
  readonly disk: SmallDisk;
  readonly troubles: Troubles;
  /** Something that no operation may cause. */
  readonly onTrouble: (what: string, vassal: string | null, seen: string) => void;
}

/** Does what is planned. Operations overlap; each resolves when all of it is done and undone. */
export class Performer {
  readonly #stage: Stage;
  readonly #frozen = new Set<number>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** @returns how it ended, a word for the summary */
  async perform(operation: Operation): Promise<string> {
    const { files, reign, disk, troubles } = this.#stage;
    switch (operation.kind) {
      case 'kill-emperor':
        return this.#killEmperor(operation.downMs);
      case 'freeze-emperor':
        if (!reign.awake) return 'skipped';
        reign.freeze(true);
        await setTimeout(operation.forMs);
        reign.freeze(false);
        return 'done';
      case 'upgrade-emperor':
        return (await reign.upgrade()) ? 'done' : 'skipped';
      case 'fill-disk':
        disk.fill();
        await setTimeout(operation.forMs);
        disk.empty();
        return 'done';
      case 'kill-instance':
        return this.#killInstance(operation.vassal, operation.pick);
      case 'freeze-instance':
        return this.#freezeInstance(operation.vassal, operation.pick, operation.forMs);
      case 'touch':
        files.touch(this.#member(operation.vassal));
        return 'done';
      case 'edit':
        files.write(this.#member(operation.vassal), null);
        return 'done';
      case 'spoil':
        files.write(this.#member(operation.vassal), operation.flaw);
        return 'done';
      case 'flip':
        files.flip(this.#member(operation.vassal));
        return 'done';
      case 'remove': {
        const over = troubles.begin(operation.vassal, 'deadly', 'removed');
        files.remove(this.#member(operation.vassal));
        await setTimeout(operation.forMs);
        files.mend(this.#member(operation.vassal));
        over();
        return 'done';
      }
      case 'stop':
      case 'pause': {
        const over = troubles.begin(operation.vassal, operation.kind === 'stop' || this.#member(operation.vassal).hasty ? 'deadly' : 'bare', operation.kind);
        const outcome = await this.order({ verb: operation.kind }, operation.vassal, operation.voice);
        await setTimeout(operation.forMs);
        await this.order({ verb: operation.kind === 'stop' ? 'start' : 'resume' }, operation.vassal, operation.voice);
        over();
        return outcome;
      }
      case 'restart': {
        const over = troubles.begin(operation.vassal, this.#member(operation.vassal).hasty ? 'deadly' : 'bare', 'restart');
        const outcome = await this.order({ verb: operation.kind }, operation.vassal, operation.voice);
        over();
        return outcome;
      }
      case 'reload':
        return this.order({ verb: operation.kind }, operation.vassal, operation.voice);
      case 'rollback':
        return this.order({ verb: operation.kind, revision: null }, operation.vassal, operation.voice);
      case 'scale':
        return this.order({ verb: operation.kind, instances: operation.instances }, operation.vassal, operation.voice);
      default:
        return operation satisfies never;
    }
  }

  /** Gives an order and waits for its outcome. */
  async order(demand: Demand, vassal: string, voice: Voice): Promise<string> {
    return voice === 'cli' ? this.#orderByCli(demand, vassal) : this.#orderBySocket(demand, vassal);
  }

  /** Ends what lasts: nothing is held still any more, no disk is full. */
  undo(): void {
    for (const pid of this.#frozen) signalBearer(this.#stage.reign.realm.state, pid, 'SIGCONT');
    this.#frozen.clear();
    this.#stage.reign.freeze(false);
    this.#stage.disk.empty();
  }

  async #killEmperor(downMs: number): Promise<string> {
    const { reign, members, troubles } = this.#stage;
    if (reign.absences.at(-1)?.untilMs === Infinity) return 'skipped';
    // Of these nothing may run just then, and nobody but the emperor has their sockets.
    const overs = members.filter((member) => member.onDemand).map(({ name }) => troubles.begin(name, 'bare', 'on demand, and no emperor'));
    await reign.kill();
    await setTimeout(downMs);
    await reign.begin();
    for (const over of overs) over();
    return 'done';
  }

  #killInstance(vassal: string, pick: number): string {
    const { reign, troubles } = this.#stage;
    const target = this.#choose(vassal, pick);
    if (target === null) return 'skipped';
    troubles.moment(vassal, `kill -9 of ${target.instance}`, KILL_MS);
    const over = troubles.begin(vassal, 'bare', `kill -9 of ${target.instance}`, target.instance);
    const killed = signalBearer(reign.realm.state, target.pid, 'SIGKILL');
    over();
    return killed ? 'done' : 'skipped';
  }

  async #freezeInstance(vassal: string, pick: number, forMs: number): Promise<string> {
    const target = this.#choose(vassal, pick);
    const { state } = this.#stage.reign.realm;
    if (target === null || !signalBearer(state, target.pid, 'SIGSTOP')) return 'skipped';
    this.#frozen.add(target.pid);
    await setTimeout(forMs);
    this.#frozen.delete(target.pid);
    signalBearer(state, target.pid, 'SIGCONT');
    return 'done';
  }

  #choose(vassal: string, pick: number): { readonly instance: string; readonly pid: number } | null {
    const running = processTable(this.#stage.reign.realm.state).filter((each) => each.vassal === vassal);
    const target = running[Math.floor(pick * running.length)];
    return target === undefined ? null : { instance: target.instance, pid: target.pids[0]! };
  }

  async #orderBySocket(demand: Demand, vassal: string): Promise<string> {
    try {
      const { results: [result] } = await this.#stage.client.order(demand, [vassal], ORDER_MS);
      if (result?.code === 'E_BUG') this.#stage.onTrouble(`${demand.verb} met a bug`, vassal, result.message ?? '');
      return result?.outcome ?? 'no result';
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      if (!REFUSALS.has(error.code)) this.#stage.onTrouble(`${demand.verb} failed`, vassal, `${error.code}: ${error.message}`);
      return error.code;
    }
  }

  #orderByCli(demand: Demand, vassal: string): Promise<string> {
    const words = [demand.verb, vassal, ...(demand.verb === 'scale' ? [String(demand.instances)] : []), '--timeout', `${ORDER_MS}ms`];
    return new Promise((resolve) => {
      execFile(process.execPath, [MAIN, ...words, '--control', this.#stage.reign.realm.control], (error, _stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code !== 'number' || !EXIT_CODES.has(code)) this.#stage.onTrouble(`emperor ${words.join(' ')} ended oddly`, vassal, `exit code ${code}: ${stderr}`);
        resolve(`exit ${code}`);
      });
    });
  }

  #member(name: string): Member {
    return this.#stage.members.find((member) => member.name === name)!;
  }
}
