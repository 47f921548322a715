import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HookEffect } from '../../src/core/effect.ts';
import type { HookedEvent } from '../../src/core/event.ts';
import type { HookName } from '../../src/core/hook.ts';
import type { VassalId } from '../../src/core/listing.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { openHooks, type Hooks } from '../../src/emperor/hooks.ts';
import { EmperorError } from '../../src/errors.ts';
import type { Tool, ToolEnding } from '../../src/runner/tool.ts';
import { HandClock } from '../fakes/clock.ts';
import { specOf } from '../fakes/declaration.ts';

const WELL: ToolEnding = { code: 0, signal: null, output: '' };

/** Hooks whose commands run as long as the test wants. */
class Stage {
  readonly clock = new HandClock(0);
  readonly told: HookedEvent[] = [];
  readonly log: string[] = [];
  /** What runs: its first word, and how it ends. */
  readonly running: { readonly word: string; readonly environment: Readonly<Record<string, string>>; readonly end: (ending: ToolEnding | Error) => void; readonly signals: string[] }[] = [];
  readonly hooks: Hooks;

  constructor() {
    const tool: Tool = (_name, _instance, argv, signal, manners) => new Promise((resolve, reject) => {
      const signals: string[] = [];
      const entry = { word: argv[0], environment: manners?.environment ?? {}, signals, end: (ending: ToolEnding | Error): void => {
        this.running.splice(this.running.indexOf(entry), 1);
        if (ending instanceof Error) reject(ending);
        else resolve(ending);
      } };
      this.running.push(entry);
      manners?.terminate?.addEventListener('abort', () => signals.push('TERM'));
      signal.addEventListener('abort', () => {
        signals.push('KILL');
        entry.end({ code: null, signal: 'SIGKILL', output: '' });
      });
    });
    const note = (fields: object, message: string): void => void this.log.push(`${message}: ${JSON.stringify(fields)}`);
    this.hooks = openHooks({ tool, clock: this.clock, logger: { info: note, error: note }, post: (event) => this.told.push(event) });
  }

  /** The words of what runs. */
  get words(): readonly string[] {
    return this.running.map(({ word }) => word);
  }

  run(at: HookName, vassal = 'shop', serial = 1, hooks: readonly { readonly word: string; readonly tolerated?: boolean }[] = [{ word: `${at} ${vassal}` }]): void {
    const spec = specOf({ hooks: hooks.map(({ word, tolerated = false }) => ({ at, argv: [word], timeoutMs: 1_000, tolerated })) });
    const effect: HookEffect = { type: 'hook', vassal: `/v/${vassal}` as VassalId, name: vassal, at, runs: { number: 1, spec }, instance: `${vassal}#${serial}` as InstanceId, pid: 42, revision: 3, reason: 'why not' };
    this.hooks.run(effect);
  }

  async end(word: string, ending: ToolEnding | Error = WELL): Promise<void> {
    this.running.find((each) => each.word === word)?.end(ending);
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  }
}

describe('a hook', () => {
  it('gets to know what happened, and its end is told', async () => {
    const stage = new Stage();
    stage.run('after-ready');
    expect(stage.running[0]?.environment).toEqual({ EMPEROR_HOOK: 'after-ready', EMPEROR_PID: '42', EMPEROR_REVISION: '3', EMPEROR_REASON: 'why not' });
    expect(stage.hooks.counts()).toEqual({ running: 1, queued: 0, ended: 0, failed: 0, dropped: 0 });
    await stage.end('after-ready shop', { ...WELL, output: 'one\ntwo\n' });
    expect(stage.told).toEqual([{ type: 'hooked', at: 'after-ready', vassal: '/v/shop', name: 'shop', instance: 'shop#1', revision: 3, failure: null }]);
    expect(stage.log).toEqual(['one', 'two'].map((line) => `hook printed: {"vassal":"shop","instance":"shop#1","hook":"after-ready","revision":3,"why":"${line}"}`));
    expect(stage.hooks.counts()).toEqual({ running: 0, queued: 0, ended: 1, failed: 0, dropped: 0 });
    expect(stage.clock.waiting).toBe(0);
  });

  it.each<[ToolEnding | Error, string]>([
    [{ code: 3, signal: null, output: 'a\nb\n' }, 'the hook after-ready (x) of vassal "shop" ended with exit code 3; it printed last: b'],
    [{ code: null, signal: 'SIGSEGV', output: '' }, 'the hook after-ready (x) of vassal "shop" was killed by SIGSEGV'],
    [new EmperorError('E_PROGRAM_MISSING', 'there is no x'), 'the hook after-ready (x) of vassal "shop": there is no x'],
  ])('that fails is told with how: %j', async (ending, failure) => {
    const stage = new Stage();
    stage.run('after-ready', 'shop', 1, [{ word: 'x' }]);
    await stage.end('x', ending);
    expect(stage.told.map((event) => event.failure)).toEqual([failure]);
    expect(stage.hooks.counts().failed).toBe(1);
  });

  it('that takes too long gets TERM, then KILL', async () => {
    const stage = new Stage();
    stage.run('after-ready');
    const signals = stage.running[0]?.signals;
    stage.clock.advance(999);
    expect(signals).toEqual([]);
    stage.clock.advance(1);
    expect(signals).toEqual(['TERM']);
    stage.clock.advance(5_000);
    expect(signals).toEqual(['TERM', 'KILL']);
    await stage.end('nothing');
    expect(stage.told[0]?.failure).toBe('the hook after-ready (after-ready shop) of vassal "shop" took longer than 1000 ms, and was ended');
  });
});

describe('several hooks', () => {
  it('for one point run one after the other; before a start the first that fails is the last', async () => {
    const stage = new Stage();
    stage.run('before-start', 'shop', 1, [{ word: 'a' }, { word: 'b' }, { word: 'c' }]);
    await stage.end('a');
    expect(stage.words).toEqual(['b']);
    await stage.end('b', { ...WELL, code: 1 });
    expect([stage.words, stage.told.length]).toEqual([[], 1]);
    expect(stage.told[0]?.failure).toContain('(b)');
  });

  it('go on over one whose failure is tolerated', async () => {
    const stage = new Stage();
    stage.run('before-start', 'shop', 1, [{ word: 'a', tolerated: true }, { word: 'b' }]);
    await stage.end('a', { ...WELL, code: 1 });
    expect(stage.words).toEqual(['b']);
    await stage.end('b');
    expect(stage.told[0]?.failure).toBeNull();
  });

  it('of one vassal are told of things in order, while others are told as well', async () => {
    const stage = new Stage();
    stage.run('after-ready');
    stage.run('after-exit');
    stage.run('after-ready', 'blog');
    expect(stage.words).toEqual(['after-ready shop', 'after-ready blog']);
    await stage.end('after-ready shop');
    expect(stage.words).toEqual(['after-ready blog', 'after-exit shop']);
  });

  it('wait for their turn, but starts and stops never for those that are only told', () => {
    const stage = new Stage();
    for (let each = 0; each < 30; each += 1) stage.run('after-ready', `v${each}`);
    expect(stage.hooks.counts()).toMatchObject({ running: 8, queued: 22 });
    stage.run('before-start', 'shop');
    stage.run('before-stop', 'blog');
    expect(stage.words.slice(-2)).toEqual(['before-start shop', 'before-stop blog']);
  });

  it('before starts of one vassal do not take all the room', () => {
    const stage = new Stage();
    for (let serial = 1; serial <= 50; serial += 1) stage.run('before-start', 'many', serial);
    expect(stage.words).toHaveLength(8);
    stage.run('before-start', 'shop');
    expect(stage.words.at(-1)).toBe('before-start shop');
  });

  it('that are too many of one vassal are dropped, counted, and told', () => {
    const stage = new Stage();
    for (let each = 0; each < 103; each += 1) stage.run('after-exit');
    expect(stage.hooks.counts()).toEqual({ running: 1, queued: 100, ended: 0, failed: 0, dropped: 2 });
    expect(stage.log.filter((line) => line.startsWith('a hook was not run'))).toHaveLength(2);
  });
});

describe('a start that is not wanted any more', () => {
  it('ends the hook that runs before it', async () => {
    const stage = new Stage();
    stage.run('before-start');
    stage.hooks.forsake('shop#1' as InstanceId);
    expect(stage.running[0]?.signals).toEqual(['TERM']);
    await stage.end('before-start shop', { ...WELL, signal: 'SIGTERM', code: null });
    expect(stage.told[0]?.failure).toContain('not wanted any more');
  });

  it('takes the hook out of the queue that waits before it', () => {
    const stage = new Stage();
    for (let serial = 1; serial <= 9; serial += 1) stage.run('before-start', 'shop', serial);
    stage.hooks.forsake('shop#9' as InstanceId);
    expect([stage.told.map(({ instance }) => instance), stage.hooks.counts().queued]).toEqual([['shop#9'], 0]);
  });

  it('means nothing for other hooks', () => {
    const stage = new Stage();
    stage.run('before-stop');
    stage.hooks.forsake('shop#1' as InstanceId);
    expect(stage.running[0]?.signals).toEqual([]);
  });
});

it('settles when nothing runs or waits; disposed of, it kills what runs and tells nothing more', async () => {
  const stage = new Stage();
  await stage.hooks.settled();
  stage.run('after-exit');
  let settled = false;
  const wait = stage.hooks.settled().then(() => (settled = true));
  await setImmediate();
  expect(settled).toBe(false);
  const { signals } = stage.running[0]!;
  stage.hooks[Symbol.dispose]();
  await wait;
  expect(signals).toEqual(['KILL']);
  expect(stage.told).toEqual([]);
});
