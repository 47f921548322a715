import type { Effect } from '../core/effect.ts';
import { unreachable } from '../errors.ts';
import type { Runner } from '../runner/runner.ts';
import type { Declarer } from './declare.ts';

/** Hands each effect to the adapter that carries it out. */
export function performWith(runner: Runner, declarer: Declarer): (effect: Effect) => void {
  return (effect) => {
    switch (effect.type) {
      case 'launch':
        return runner.launch(effect.name, effect.instance);
      case 'signal':
        return runner.signal(effect.instance, effect.signal, effect.whom);
      case 'recheck':
        return declarer.recheck(effect.vassal);
      default:
        return unreachable(effect);
    }
  };
}
