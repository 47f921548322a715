import { closeSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { InstanceId } from '../../src/core/state.ts';
import { instanceOf } from '../fakes/instance.ts';
import { until } from '../until.ts';
import { SHOP, Stage } from './stage.ts';

const PROCESS = { pid: process.pid, startTicks: 1, bootId: 'boot' };

describe('a channel', () => {
  it('reports what the vassal says, and tells it what is asked, once it listens', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    expect(stage.channels.ask(SHOP, 'reload')).toBeNull();
    vassal.say(1);
    vassal.say(17, 5, 26);
    await until(() => expect(vassal.heard).toEqual([1]));
    expect(stage.said()).toEqual(['shop#1 loyal', 'shop#1 accepting', 'shop#1 heartbeat']);
    expect(stage.channels.ask(SHOP, 'stop')).toBeNull();
    vassal.say(5);
    await until(() => expect(vassal.heard).toEqual([1, 2]));
  });

  it('of one that has never listened asks for a signal to stop it, and tells it all the same', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    expect(stage.channels.ask(SHOP, 'stop')).toBe('SIGINT');
    vassal.say(5);
    await until(() => expect(vassal.heard).toEqual([2]));
  });

  it('tells nothing before all of the vassal can hear it, and then the last word; in the end all the same', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    stage.attentive = false;
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    stage.channels.ask(SHOP, 'reload');
    stage.clock.advance(5_000);
    stage.attentive = true;
    stage.clock.advance(10);
    await until(() => expect(vassal.heard).toEqual([1]));
    stage.attentive = false;
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(2));
    stage.channels.ask(SHOP, 'reload');
    stage.clock.advance(9_000);
    stage.channels.ask(SHOP, 'stop');
    expect(stage.clock.waiting).toBe(1);
    stage.clock.advance(1_000);
    await until(() => expect(vassal.heard).toEqual([1, 2]));
    expect(stage.clock.waiting).toBe(1);
  });

  it.each([[true, [2, 0]], [false, [2]]])('tells one that has not understood (%s) to stop at once, once: uWSGI before 2.0.19 knows no other stop', async (old, heard) => {
    using stage = new Stage();
    stage.old = old;
    using vassal = stage.launch();
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    stage.channels.ask(SHOP, 'stop');
    vassal.say(26);
    await until(() => expect(stage.said()).toHaveLength(2));
    stage.clock.advance(1_999);
    await until(() => expect(vassal.heard).toEqual([2]));
    stage.clock.advance(1);
    stage.channels.ask(SHOP, 'stop');
    await until(() => expect(vassal.heard).toEqual(heard));
    expect(stage.clock.waiting).toBe(0);
    stage.channels.follow({ type: 'exited', instance: SHOP, status: { kind: 'exited', code: 0 } });
  });

  it('that is over tells nothing any more', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    stage.channels.ask(SHOP, 'stop');
    stage.channels.follow({ type: 'exited', instance: SHOP, status: { kind: 'exited', code: 0 } });
    expect(stage.clock.waiting).toBe(0);
  });

  it('takes what was said before for no answer', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    // Its first worker was replaced meanwhile: that is written, and not read yet.
    vassal.say(5);
    await new Promise<void>((resolve) => vassal.socket.write(Uint8Array.of(5), () => resolve()));
    stage.channels.ask(SHOP, 'reload');
    stage.channels.ask(SHOP, 'reload');
    await until(() => expect(vassal.heard).toEqual([1]));
    vassal.say(5);
    await until(() => expect(vassal.heard).toEqual([1, 1]));
  });

  it('tells of bytes without a meaning once, however many come', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    vassal.say(99);
    await until(() => expect(stage.strange).toEqual([{ instance: SHOP, bytes: 1 }]));
    vassal.say(0, 2, 3, 255, 5);
    await until(() => expect(stage.said()).toEqual(['shop#1 accepting']));
    expect(stage.strange).toHaveLength(1);
  });

  it('passes on four heartbeats a second, and a cry for help a minute', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    for (const [waitMs, count] of [[0, 2], [249, 2], [1, 3], [59_749, 4], [1, 5]] as const) {
      stage.clock.advance(waitMs);
      const before = stage.said().filter((each) => each.endsWith('accepting')).length;
      vassal.say(26, 30, 5);
      await until(() => expect(stage.said().filter((each) => each.endsWith('accepting'))).toHaveLength(before + 1));
      expect(stage.said().filter((each) => !each.endsWith('accepting'))).toHaveLength(count);
    }
    expect(stage.events.map(({ report }) => report).filter(({ kind }) => kind === 'sos')).toEqual([{ kind: 'sos', times: 1 }, { kind: 'sos', times: 5 }]);
  });

  it('that the other side has closed is none: to stop takes a signal, to reload another way', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    vassal.socket.destroy();
    await until(() => expect(stage.channels.ask(SHOP, 'stop')).toBe('SIGTERM'));
    expect(stage.channels.ask(SHOP, 'reload')).toBeNull();
    expect(stage.said().at(-1)).toBe('shop#1 deaf');
  });

  it.each(['exited', 'unlaunchable'] as const)('is closed when its instance is %s', (type) => {
    using stage = new Stage();
    const before = readdirSync('/proc/self/fd').length;
    stage.channels.open(SHOP);
    stage.channels.follow(type === 'exited' ? { type, instance: SHOP, status: { kind: 'unknown' } } : { type, instance: SHOP, code: 'E_SPAWN', reason: '', lasting: false });
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});

describe('a vassal that says too much', () => {
  it('is heard some, and as time goes by', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    const all = Buffer.alloc(4_000_000, Uint8Array.of(5, 200, 26, 22));
    void vassal.babble(all);
    await until(() => expect(stage.said().filter((each) => each.endsWith('accepting'))).toHaveLength(64));
    // A turn for everybody else: it is not read from any more.
    await new Promise((resolve) => setImmediate(resolve));
    expect([stage.clock.waiting, stage.said().filter((each) => each.endsWith('accepting')).length]).toEqual([1, 64]);
    stage.clock.advance(50);
    await until(() => expect(stage.said().filter((each) => each.endsWith('accepting'))).toHaveLength(65));
    expect(stage.strange).toHaveLength(1);
    stage.channels.follow({ type: 'exited', instance: SHOP, status: { kind: 'unknown' } });
    expect(stage.clock.waiting).toBe(0);
  });

  it('does not keep us from hearing another one', async () => {
    using stage = new Stage();
    using loud = stage.launch();
    using quiet = stage.launch('blog#2' as InstanceId);
    void loud.babble(Buffer.alloc(4_000_000, 26));
    quiet.say(5);
    await until(() => expect(stage.said()).toContain('blog#2 accepting'));
  });
});

describe('a vassal that reads nothing', () => {
  it('does not hold us up, whatever is asked of it', async () => {
    using stage = new Stage();
    using vassal = stage.launch();
    vassal.socket.pause();
    vassal.say(5);
    await until(() => expect(stage.said()).toHaveLength(1));
    for (let times = 0; times < 100_000; times += 1) stage.channels.ask(SHOP, 'reload');
    expect(stage.channels.ask(SHOP, 'stop')).toBeNull();
    vassal.socket.resume();
    await until(() => expect(vassal.heard).toEqual([1]));
  });
});

describe('the next emperor', () => {
  it('takes the channel back from the instance, and hears what was said meanwhile', async () => {
    const before = new Stage();
    using vassal = before.launch();
    before.channels[Symbol.dispose]();
    vassal.say(26, 5);
    using after = new Stage();
    expect(after.channels.adopt({ ...instanceOf(1, {}, PROCESS), readyMs: 0 }, vassal.lent)).toBe(true);
    after.channels.listen();
    await until(() => expect(after.said()).toEqual(['shop#1 heartbeat', 'shop#1 accepting']));
    expect(after.channels.ask(SHOP, 'reload')).toBeNull();
    await until(() => expect(vassal.heard).toEqual([1]));
    closeSync(vassal.lent);
  });

  it.each([
    ['of another number', 1, 1, `/state/${process.pid}`],
    ['of another instance', 0, 2, `/state/${process.pid}`],
    ['of another emperor', 0, 1, '/elsewhere'],
  ])('takes no channel %s', (_what, offset, serial, state) => {
    using before = new Stage();
    using vassal = before.launch();
    using after = new Stage(state);
    const open = readdirSync('/proc/self/fd').length;
    expect(after.channels.adopt(instanceOf(serial, {}, PROCESS), vassal.lent + offset * 5_000)).toBe(false);
    expect(readdirSync('/proc/self/fd')).toHaveLength(open);
    expect(after.channels.ask(`shop#${serial}` as InstanceId, 'stop')).toBe('SIGTERM');
  });
});
