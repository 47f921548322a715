import type { Effect } from '../core/effect.ts';
import type { Event } from '../core/event.ts';
import { holdsSockets } from '../core/generation.ts';
import type { InstanceId } from '../core/state.ts';
import { EmperorError, unreachable } from '../errors.ts';
import type { Channels } from '../channel/channels.ts';
import type { Prober } from '../probes/prober.ts';
import type { KeptTexts } from '../runner/kept-texts.ts';
import type { Runner } from '../runner/runner.ts';
import type { Owner, Sockets } from '../sockets/sockets.ts';
import type { Declarer } from './declare.ts';
import type { Hooks } from './hooks.ts';
import type { Patience } from './patience.ts';
import type { Reloader } from './reloader.ts';

/** The adapters, and what they need to know of each other. */
export interface Performers {
  readonly runner: Runner;
  readonly channels: Pick<Channels, 'open' | 'ask'>;
  readonly reloader: Pick<Reloader, 'reload'>;
  readonly texts: Pick<KeptTexts, 'readable'>;
  readonly declarer: Declarer;
  readonly sockets: Sockets;
  readonly prober: Prober;
  readonly patience: Patience;
  readonly hooks: Pick<Hooks, 'run' | 'forsake'>;
  /** Whom the instances of a vassal run as: its unix sockets are theirs. */
  readonly ownerOf: (whom: { readonly user: string | null; readonly group: string | null }) => Owner;
  /** The last lines that an instance printed. */
  readonly quote: (instance: InstanceId, tell: (lines: readonly string[]) => void) => void;
  readonly post: (event: Event) => void;
}

/** Hands each effect to the adapter that carries it out. */
export interface Performance extends Disposable {
  perform(effect: Effect): void;
}

/** Disposed, it does nothing more: what comes of an event in the last moments of an emperor is left to the next one, as the adapters are closing. */
export function performWith(performers: Performers): Performance {
  let over = false;
  const { runner, channels, declarer, sockets, prober, patience, hooks, post } = performers;

  function launch({ vassal, name, instance }: Effect & { type: 'launch' }): void {
    const { spec } = instance.runs;
    try {
      const lent = holdsSockets(instance.runs) ? sockets.lend(vassal, name, instance.generation, spec.listen, performers.ownerOf(spec)) : [];
      runner.launch(name, performers.texts.readable(instance), lent.map(({ fd }) => fd), spec.channel ? channels.open(instance.id) : []);
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      post({ type: 'unlaunchable', instance: instance.id, code: error.code, reason: error.message, lasting: false });
    }
  }

  function awaitKnock({ vassal, name, listen, user, group }: Effect & { type: 'await-knock' }): void {
    try {
      sockets.hold(vassal, name, listen, performers.ownerOf({ user, group }));
    } catch (error) {
      if (!(error instanceof EmperorError)) throw error;
      post({ type: 'unholdable', vassal, code: error.code, reason: error.message });
      return;
    }
    post({ type: 'held', vassal });
    patience.awaitKnock(vassal);
  }

  function askIt({ instance, what }: Effect & { type: 'ask' }): void {
    if (what === 'stop') hooks.forsake(instance);
    if (what === 'reload') {
      performers.reloader.reload(instance);
      return;
    }
    const signal = channels.ask(instance, what);
    if (signal !== null) runner.signal(instance, signal, 'main');
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case 'launch':
        return launch(effect);
      case 'signal':
        hooks.forsake(effect.instance);
        return runner.signal(effect.instance, effect.signal, effect.whom);
      case 'ask':
        return askIt(effect);
      case 'follow':
        return runner.follow(effect.instance, effect.pid);
      case 'recheck':
        return declarer.recheck(effect.vassal);
      case 'quote':
        return performers.quote(effect.instance, (lines) => post({ type: 'quoted', vassal: effect.vassal, instance: effect.instance, lines }));
      case 'judge':
        return prober.judge(effect.instance, effect.readiness);
      case 'tend':
        return prober.tend(effect.instance, effect.health);
      case 'disregard':
        return prober.forget(effect.instance);
      case 'steer':
        return sockets.steer(effect.vassal, effect.generation, effect.share);
      case 'await-drained':
        return patience.awaitDrained(effect.vassal, effect.generation);
      case 'retire':
        return sockets.retire(effect.vassal, effect.generation);
      case 'await-knock':
        return awaitKnock(effect);
      case 'ignore-knock':
        return patience.ignoreKnock(effect.vassal);
      case 'await-unused':
        return patience.awaitUnused(effect.vassal, effect.idleMs);
      case 'ignore-unused':
        return patience.ignoreUnused(effect.vassal);
      case 'await-crowd':
        return patience.awaitCrowd(effect.vassal, effect.generation, effect.connections, effect.forMs);
      case 'ignore-crowd':
        return patience.ignoreCrowd(effect.vassal);
      case 'await-calm':
        return patience.awaitCalm(effect.vassal, effect.idleMs);
      case 'ignore-calm':
        return patience.ignoreCalm(effect.vassal);
      case 'hook':
        return hooks.run(effect);
      case 'release':
        return sockets.release(effect.vassal, effect.keep);
      default:
        return unreachable(effect);
    }
  }

  return {
    perform(effect) {
      if (!over) perform(effect);
    },
    [Symbol.dispose]() {
      over = true;
    },
  };
}
