import { printAddress } from '../../src/core/address.ts';
import type { Effect } from '../../src/core/effect.ts';
import type { Event } from '../../src/core/event.ts';
import type { HistoryEntry } from '../../src/core/history.ts';
import { living } from '../../src/core/lifecycle.ts';
import type { Declaration, VassalId } from '../../src/core/listing.ts';
import type { EmperorState, ExitStatus, Instance, Remembered, Vassal } from '../../src/core/state.ts';
import { firstState, step } from '../../src/core/step.ts';
import { unreachable } from '../../src/errors.ts';

/** Plays events to the core and keeps what came of them. */
export class Stage {
  state: EmperorState;
  effects: Effect[] = [];
  history: HistoryEntry[] = [];
  ms = 1_000_000;
  pid = 100;

  constructor(sources: readonly string[] = ['dir:///v'], remembered: readonly Remembered[] = [], maxStarting = 2) {
    this.state = firstState(sources, remembered, new Map(), 1, maxStarting);
  }

  /** Plays one event; gives the effects of this one. */
  play(event: Event): readonly Effect[] {
    const result = step(this.state, event, { ms: this.ms, at: this.ms });
    this.state = result.state;
    this.effects.push(...result.effects);
    this.history.push(...result.change.history);
    return result.effects;
  }

  list(...declarations: readonly Declaration[]): readonly Effect[] {
    return this.play({ type: 'listed', source: 'dir:///v', declarations });
  }

  order(verb: 'start' | 'stop' | 'restart' | 'reload' | 'pause' | 'resume', name = 'shop'): readonly Effect[] {
    return this.play({ type: 'order', verb, vassal: `/v/${name}.toml` as VassalId, actor: 'test' });
  }

  /** Lets time pass, and rings the alarm. */
  wait(ms: number): readonly Effect[] {
    this.ms += ms;
    return this.play({ type: 'alarm' });
  }

  spawn(instance: Instance | undefined = this.instances()[0]): readonly Effect[] {
    this.pid += 1;
    return this.play({ type: 'spawned', instance: instance!.id, process: { pid: this.pid, startTicks: this.pid, bootId: 'boot' } });
  }

  exit(instance: Instance | undefined = this.instances()[0], status: ExitStatus = { kind: 'exited', code: 1 }): readonly Effect[] {
    return this.play({ type: 'exited', instance: instance!.id, status });
  }

  vassal(name = 'shop', folder = '/v'): Vassal | undefined {
    return this.state.vassals.get(`${folder}/${name}.toml` as VassalId);
  }

  phase(name = 'shop', folder = '/v'): string {
    return this.vassal(name, folder)?.state.phase ?? 'forgotten';
  }

  instances(name = 'shop'): readonly Instance[] {
    const vassal = this.vassal(name);
    return vassal === undefined ? [] : living(vassal);
  }

  /** Deploys a file and brings it to `ready`. */
  serve(declaration: Declaration): this {
    this.list(declaration);
    this.spawn();
    this.wait(1_000);
    return this;
  }
}

/** Effects in a few words: `launch shop#1`, `SIGTERM main shop#1`. */
export function words(effects: readonly Effect[]): string[] {
  // To tell what an instance printed last changes nothing: it has a test of its own.
  return effects.filter(({ type }) => type !== 'quote').map((effect) => {
    switch (effect.type) {
      case 'launch': return `launch ${effect.instance.id}`;
      case 'signal': return `${effect.signal} ${effect.whom} ${effect.instance}`;
      case 'ask': return `${effect.what} ${effect.instance}`;
      case 'follow': return `follow ${effect.instance} ${effect.pid}`;
      case 'recheck': return `recheck ${effect.vassal}`;
      case 'quote': case 'judge': case 'tend': case 'disregard': return `${effect.type} ${effect.instance}`;
      case 'steer': return `steer ${effect.generation} ${effect.share}`;
      case 'await-drained': case 'retire': return `${effect.type} ${effect.generation}`;
      case 'await-knock': return `await-knock ${effect.listen.map((each) => printAddress(each.address)).join(' ')}`;
      case 'await-unused': return `await-unused ${effect.idleMs}`;
      case 'ignore-knock': case 'ignore-unused': return effect.type;
      case 'hook': return `hook ${effect.at} ${effect.instance ?? 'vassal'}`;
      case 'await-crowd': return `await-crowd ${effect.generation} ${effect.connections}`;
      case 'await-calm': return `await-calm ${effect.idleMs}`;
      case 'ignore-crowd': case 'ignore-calm': return effect.type;
      case 'release': return `release but ${effect.keep.length}`;
      default: return unreachable(effect);
    }
  });
}
