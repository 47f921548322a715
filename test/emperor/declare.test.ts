import { expect, it } from 'vitest';
import type { Event } from '../../src/core/event.ts';
import type { Fault } from '../../src/core/fault.ts';
import type { Declaration, SeenFile, VassalId } from '../../src/core/listing.ts';
import { createDeclarer, type Declarer } from '../../src/emperor/declare.ts';
import type { Ask } from '../../src/emperor/programs.ts';
import type { Clock } from '../../src/world/clock.ts';
import { specOf } from '../fakes/declaration.ts';

function seen(name: string, text = 'good', stamp = '1'): SeenFile {
  return { id: `/v/${name}.toml` as VassalId, name, stamp, hash: text, content: { ok: true, text } };
}

interface Stage {
  readonly declarer: Declarer;
  readonly events: Event[];
  readonly parsed: string[];
  /** What the host lacks, by path; taking one away and calling `appear` is its appearance. */
  readonly lacks: Set<string>;
  readonly appear: (path: string) => void;
  readonly waits: ReadonlyMap<string, () => void>;
}

function stage(clock: Pick<Clock, 'soon'> = { soon: (callback) => callback() }, ask?: Ask): Stage {
  const events: Event[] = [];
  const parsed: string[] = [];
  const lacks = new Set<string>();
  const waits = new Map<string, () => void>();
  const fault = (id: VassalId, path: string): Fault => ({ code: 'E_PROGRAM_MISSING', message: `${path} is missing`, file: id, line: null, key: null, hint: null });
  const declarer = createDeclarer({
    parse: ({ id, text }) => {
      parsed.push(id);
      return text === 'bad' ? { ok: false, faults: [fault(id, 'sense')] } : { ok: true, spec: specOf({ argv: [text] }) };
    },
    vet: (id, spec) => (lacks.has(spec.argv[0]) ? { faults: [fault(id, spec.argv[0])], missing: [spec.argv[0]] } : { faults: [], missing: [] }),
    awaitAppearance: ([path = ''], onAppear) => {
      waits.set(path, onAppear);
      return () => void waits.delete(path);
    },
    ...(ask === undefined ? {} : { ask }),
  }, clock, (event) => events.push(event));
  return { declarer, events, parsed, lacks, waits, appear: (path) => { lacks.delete(path); waits.get(path)?.(); } };
}

const last = (events: readonly Event[]): readonly Declaration[] => {
  const event = events.at(-1);
  if (event?.type !== 'listed') throw new Error('no listing');
  return event.declarations;
};

it('parses a file once for as long as it is the same look', () => {
  const { declarer, events, parsed } = stage();
  const [shop, blog] = [seen('shop'), seen('blog')];
  declarer.look('dir:///v', { kind: 'listing', files: [shop, blog] });
  declarer.look('dir:///v', { kind: 'listing', files: [shop, seen('blog', 'better', '2')] });
  expect(parsed).toEqual(['/v/shop.toml', '/v/blog.toml', '/v/blog.toml']);
  expect(last(events)).toHaveLength(2);
});

it('passes a blind source on as blind', () => {
  const { declarer, events } = stage();
  declarer.look('dir:///v', { kind: 'blind', reason: 'ENOENT' });
  expect(events).toEqual([{ type: 'blind', source: 'dir:///v', reason: 'ENOENT' }]);
});

it('judges a file again when what it lacks appears', () => {
  const { declarer, events, lacks, appear } = stage();
  lacks.add('/app');
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop', '/app')] });
  expect(last(events)[0]?.outcome.ok).toBe(false);
  appear('/app');
  expect(last(events)[0]?.outcome.ok).toBe(true);
});

it('waits no longer for what a file lacked that is gone, or says something else now', () => {
  const { declarer, lacks, waits } = stage();
  lacks.add('/app').add('/other');
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop', '/app')] });
  expect([...waits.keys()]).toEqual(['/app']);
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop', '/other', '2')] });
  expect([...waits.keys()]).toEqual(['/other']);
  declarer.look('dir:///v', { kind: 'listing', files: [] });
  expect([...waits.keys()]).toEqual([]);
});

it('rechecks a file on demand, though it looks the same', () => {
  const { declarer, events, lacks } = stage();
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop', '/app')] });
  lacks.add('/app');
  declarer.recheck('/v/shop.toml' as VassalId);
  expect(last(events)[0]?.outcome.ok).toBe(false);
});

it('waits for nothing after its end', () => {
  const { declarer, lacks, waits } = stage();
  lacks.add('/app');
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop', '/app')] });
  declarer[Symbol.dispose]();
  expect(waits.size).toBe(0);
});

/** So many files that they are told of in parts. */
const many = (text = 'good'): readonly SeenFile[] => Array.from({ length: 500 }, (_, index) => seen(`v${index}`, text));

it('tells of the first of many files while the others are not judged yet', async () => {
  const later: (() => void)[] = [];
  const { declarer, events, parsed } = stage({ soon: (callback) => later.push(callback) });
  declarer.look('dir:///v', { kind: 'listing', files: many() });
  expect(events.map(({ type }) => type)).toEqual(['showing']);
  expect(parsed.length).toBeLessThan(100);
  let told = false;
  const untilTold = declarer.told().then(() => (told = true));
  for (let next = later.shift(); next !== undefined; next = later.shift()) {
    expect(told).toBe(false);
    next();
  }
  await untilTold;
  expect(events.at(-1)).toMatchObject({ type: 'listed' });
  expect(last(events)).toHaveLength(500);
  const shown = events.flatMap((event) => (event.type === 'showing' ? event.declarations : []));
  expect(last(events).slice(0, shown.length)).toEqual(shown);
  expect(parsed).toHaveLength(500);
});

it.each([
  ['a newer look', { kind: 'listing', files: [seen('shop')] }, 'listed'],
  ['a source that went blind', { kind: 'blind', reason: 'EACCES' }, 'blind'],
] as const)('tells of %s, and no more of what was seen before', async (_what, look, type) => {
  const later: (() => void)[] = [];
  const { declarer, events } = stage({ soon: (callback) => later.push(callback) });
  declarer.look('dir:///v', { kind: 'listing', files: many() });
  declarer.look('dir:///v', look);
  for (const next of later) next();
  await declarer.told();
  expect(events.map((event) => event.type)).toEqual(['showing', type]);
});

it('tells of many files at once if all but a few are known', () => {
  const { declarer, events } = stage();
  const files = many();
  declarer.look('dir:///v', { kind: 'listing', files });
  const before = events.length;
  declarer.look('dir:///v', { kind: 'listing', files: [...files, seen('shop')] });
  expect(events.slice(before).map(({ type }) => type)).toEqual(['listed']);
});

it('tells of many new files at once if the source was looked at before: what goes has to go first', () => {
  const { declarer, events } = stage();
  declarer.look('dir:///v', { kind: 'listing', files: [seen('shop')] });
  declarer.look('dir:///v', { kind: 'listing', files: many() });
  expect(events.map(({ type }) => type)).toEqual(['listed', 'listed']);
});

it('does not leave anybody waiting when it ends', async () => {
  const { declarer } = stage({ soon: () => undefined });
  declarer.look('dir:///v', { kind: 'listing', files: many() });
  const told = declarer.told();
  declarer[Symbol.dispose]();
  await told;
});

it('a program that hangs at the first look holds up no other file; the listing is complete when it has answered', async () => {
  let answer: () => void = () => {};
  const hangs: Ask = () => new Promise((resolve) => (answer = () => resolve({ ok: true, text: 'printed' })));
  const { declarer, events, lacks, appear } = stage(undefined, hangs);
  lacks.add('late');
  declarer.look('dir:///v', { kind: 'listing', files: [{ ...seen('asked'), executable: true }, seen('shop'), seen('blog', 'late')] });
  const outcomes = (): readonly unknown[] => events.map((event) => [event.type, 'declarations' in event ? event.declarations.map(({ name, outcome }) => `${name} ${outcome.ok}`) : null]);
  expect(outcomes()).toEqual([['showing', ['shop true', 'blog false']]]);
  appear('late');
  expect(outcomes().slice(1)).toEqual([['showing', ['blog true']]]);
  await Promise.resolve();
  answer();
  await declarer.told();
  expect(outcomes().slice(2)).toEqual([['listed', ['asked true', 'shop true', 'blog true']]]);
});
