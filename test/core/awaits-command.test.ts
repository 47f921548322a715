import { expect, it } from 'vitest';
import type { Declaration } from '../../src/core/listing.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor, fileOf } from '../fakes/emperor.ts';

const waiting = (declaration: Declaration): Declaration => ({ ...declaration, awaitsCommand: true });

function order(emperor: FakeEmperor, verb: 'start' | 'stop' | 'pause'): void {
  emperor.play({ type: 'order', verb, vassal: fileOf('shop'), actor: 'me' });
}

it('a vassal that is started by orders only is not started by its file, nor by a touch or an edit of it', () => {
  const emperor = new FakeEmperor();
  for (const [text, stamp] of [['a', 1], ['a', 2], ['b', 3]] as const) {
    emperor.list(waiting(declare('shop', {}, text, stamp)));
    expect(emperor.vassal('shop')).toMatchObject({ want: 'down', state: { phase: 'stopped' } });
  }
  order(emperor, 'start');
  expect(emperor.vassal('shop')).toMatchObject({ want: 'up', state: { phase: 'starting' }, newest: { number: 2 } });
});

it('once it was started a new text is deployed as ever', () => {
  const emperor = new FakeEmperor();
  emperor.list(waiting(declare('shop')));
  order(emperor, 'start');
  emperor.rise('shop');
  emperor.list(waiting(declare('shop', { reload: { kind: 'overlap' } }, 'two', 2)));
  expect(emperor.vassal('shop')).toMatchObject({ want: 'up', state: { phase: 'reloading' } });
});

it('what was stopped stays so whatever becomes of its file; where files start vassals it does not', () => {
  for (const [how, want] of [[waiting, 'down'], [(each: Declaration): Declaration => each, 'up']] as const) {
    const emperor = new FakeEmperor();
    emperor.list(how(declare('shop')));
    order(emperor, 'start');
    emperor.rise('shop');
    order(emperor, 'stop');
    emperor.exit('shop');
    emperor.list(how(declare('shop', {}, 'two', 2)));
    expect(emperor.vassal('shop')?.want).toBe(want);
  }
});

it('says in the history what it waits for', () => {
  const emperor = new FakeEmperor();
  emperor.list(waiting(declare('shop')));
  expect(emperor.store.history({ name: 'shop', limit: 5, after: null }).map(({ why }) => why)).toEqual(['its file was found; it waits for a command to start']);
});
