import { expect, it } from 'vitest';
import { actorOf } from '../../src/control/actor.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { host, me } from './host.ts';

it.each([
  ['nothing', 'alice[7]', undefined, 'alice[7]'],
  ['nothing, by an empty word', 'alice[7]', '', 'alice[7]'],
  ['another name', 'alice[7]', 'bob', 'alice[7] claiming "bob"'],
  ['what looks like the word of the kernel', 'alice[7]', 'root[1]', 'alice[7] claiming "root[1]"'],
  ['what tries to leave its quotes', 'alice[7]', encodeURIComponent('x", root[1] claiming "y'), String.raw`alice[7] claiming "x\", root[1] claiming \"y"`],
  ['lines and escapes', 'alice[7]', encodeURIComponent('a\nb\u001B[2J\u009Bc\u202E\u2028'), 'alice[7] claiming "ab[2Jc"'],
  ['what cannot be decoded', 'alice[7]', '%zz', 'alice[7] claiming "%zz"'],
  ['a long story', 'alice[7]', 'x'.repeat(1000), `alice[7] claiming "${'x'.repeat(64)}"`],
  ['a name, where the kernel knows nothing', null, 'root', 'unknown claiming "root"'],
])('who claims %s', (_what, peer, claim, actor) => {
  expect(actorOf(peer, claim)).toBe(actor);
});

it('is the word of the kernel for each order and for the shutdown, whatever the header says', async () => {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'));
  const { ask } = await host({ emperor });
  const forged = { 'emperor-actor': 'root%5B1%5D' };
  for (const verb of ['start', 'stop', 'restart', 'reload', 'pause', 'resume']) await ask('POST', `/v1/${verb}`, { names: ['shop'] }, forged);
  await ask('POST', '/v1/shutdown?keep=1', undefined, forged);
  expect(emperor.posted.map((event) => ('actor' in event ? event.actor : null))).toEqual(Array.from({ length: 7 }, () => `${me()} claiming "root[1]"`));
});
