import { describe, expect, it } from 'vitest';
import type { Health, Probe, Readiness } from '../../src/core/spec.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { EmperorError } from '../../src/errors.ts';
import type { Ending } from '../../src/probes/command.ts';
import { openProber, type LineSeen, type ProberOptions } from '../../src/probes/open-prober.ts';
import type { Finding, Prober } from '../../src/probes/prober.ts';
import { HandClock } from '../fakes/clock.ts';
import { until } from '../until.ts';
import { saying, serve, turn } from './stage.ts';

const SHOP = 'shop#1' as InstanceId;
const BLOG = 'blog#2' as InstanceId;
const COMMAND: Probe = { kind: 'command', argv: ['/bin/check', '-v'] };
const READY = (probe: Probe = COMMAND): Readiness & { readonly kind: 'probe' } => ({ kind: 'probe', probe, intervalMs: 1_000, timeoutMs: 5_000 });
const HEALTH: Health & { readonly probe: Probe } = { probe: COMMAND, intervalMs: 10_000, timeoutMs: 5_000, failures: 3, graceMs: 30_000, watchdogMs: null };

interface Run {
  readonly instance: InstanceId;
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  end(ending: Partial<Ending>): Promise<void>;
  fail(error: Error): Promise<void>;
}

interface Stage {
  readonly clock: HandClock;
  readonly prober: Prober;
  readonly found: Finding[];
  readonly runs: Run[];
  readonly watches: { readonly pattern: string; readonly onSeen: (seen: LineSeen) => void; ended: boolean }[];
  /** The n-th run, from 0, as soon as it has begun. */
  readonly run: (index: number) => Promise<Run>;
}

function openStage(ways: Partial<ProberOptions> = {}): Stage {
  const clock = new HandClock();
  const found: Finding[] = [];
  const runs: Run[] = [];
  const watches: Stage['watches'] = [];
  const prober = openProber({
    clock,
    sink: (finding) => found.push(finding),
    door: () => null,
    pending: () => 0,
    watchLog(_, pattern, onSeen) {
      const watch = { pattern, onSeen, ended: false };
      watches.push(watch);
      return () => void (watch.ended = true);
    },
    run: (instance, argv, signal) => new Promise((resolve, reject) => {
      runs.push({
        instance,
        argv,
        signal,
        end: async (ending) => {
          resolve({ code: 0, signal: null, output: '', ...ending });
          await turn();
        },
        fail: async (error) => {
          reject(error);
          await turn();
        },
      });
    }),
    ...ways,
  });
  return {
    clock, prober, found, runs, watches,
    run: (index) => until(() => {
      const run = runs[index];
      if (run === undefined) throw new Error(`only ${runs.length} runs have begun`);
      return run;
    }),
  };
}

describe('a prober that judges', () => {
  it('asks at once, and again after each interval, counted from the end of the last answer, until the answer is good', async () => {
    const { prober, clock, runs, found } = openStage();
    prober.judge(SHOP, READY());
    expect(runs).toHaveLength(1);
    expect(runs[0]).toMatchObject({ instance: SHOP, argv: ['/bin/check', '-v'] });
    clock.advance(3_000);
    await runs[0]?.end({ code: 1 });
    clock.advance(999);
    await turn();
    expect(runs).toHaveLength(1);
    clock.advance(1);
    await turn();
    expect(runs).toHaveLength(2);
    await runs[1]?.end({ code: 0 });
    clock.advance(100_000);
    await turn();
    expect(runs).toHaveLength(2);
    expect(found).toEqual([{ type: 'unready', instance: SHOP, answer: 'exit code 1' }, { type: 'ready', instance: SHOP, why: 'exit code 0' }]);
    expect(clock.waiting).toBe(0);
  });

  it('tells of an answer only when it differs from the one before', async () => {
    const { prober, clock, runs, found, run } = openStage();
    prober.judge(SHOP, READY());
    const endings: Partial<Ending>[] = [{ code: 1 }, { code: 1 }, { code: 2, output: '\n no database \nmore' }, { code: 2, output: 'no database' }, { code: null, signal: 'SIGSEGV' }, { code: 1 }];
    for (const [index, ending] of endings.entries()) {
      await (await run(index)).end(ending);
      clock.advance(1_000);
      await turn();
    }
    expect(runs).toHaveLength(7);
    expect(found.map((each) => each.type === 'unready' && each.answer)).toEqual(['exit code 1', 'exit code 2: no database', 'killed by SIGSEGV', 'exit code 1']);
  });

  it('gives a question its time, and kills what is late', async () => {
    const { prober, clock, runs, found } = openStage();
    prober.judge(SHOP, READY());
    clock.advance(4_999);
    expect(runs[0]?.signal.aborted).toBe(false);
    clock.advance(1);
    expect(runs[0]?.signal.aborted).toBe(true);
    // There is no other question before it is gone.
    clock.advance(10_000);
    await turn();
    expect(runs).toHaveLength(1);
    await runs[0]?.end({ code: null, signal: 'SIGKILL' });
    expect(found).toEqual([{ type: 'unready', instance: SHOP, answer: 'no answer within 5 s' }]);
  });

  it('tells why a command cannot be started', async () => {
    const { prober, runs, found } = openStage();
    prober.judge(SHOP, READY());
    await runs[0]?.fail(new EmperorError('E_PROGRAM_MISSING', 'cannot start /bin/check'));
    expect(found).toEqual([{ type: 'unready', instance: SHOP, answer: 'cannot start /bin/check' }]);
  });

  it('asks through the door of the generation, and closes it', async () => {
    let opened = 0;
    await using place = await serve(saying('HTTP/1.1 200 OK\r\n\r\n'));
    const { prober, found } = openStage({
      door() {
        opened += 1;
        return { connect: place.way.connect, [Symbol.dispose]: () => void (opened -= 1) };
      },
    });
    prober.judge(SHOP, READY({ kind: 'http', target: { kind: 'listen' }, path: '/', status: [200, 299], body: null }));
    expect(opened).toBe(1);
    await until(() => expect(found).toEqual([{ type: 'ready', instance: SHOP, why: 'HTTP 200' }]));
    expect(opened).toBe(0);
  });

  it.each<[string, ProberOptions['door'], string]>([
    ['has none', () => null, 'it has no address to be asked at'],
    ['cannot be asked at any', () => { throw new EmperorError('E_ADDRESS', 'out of ports'); }, 'out of ports'],
  ])('tells when an instance that is to be asked at its address %s', async (_, door, answer) => {
    const { prober, found } = openStage({ door });
    prober.judge(SHOP, READY({ kind: 'tcp', target: { kind: 'listen' } }));
    await until(() => expect(found).toEqual([{ type: 'unready', instance: SHOP, answer }]));
  });

  it('at another address than its own needs no door', async () => {
    await using place = await serve(() => {});
    const { prober, found } = openStage();
    if ('path' in place.way.connect) throw new Error('it listens on a port');
    prober.judge(SHOP, READY({ kind: 'tcp', target: { kind: 'address', address: { kind: 'tcp', v6only: false, ...place.way.connect } } }));
    await until(() => expect(found).toEqual([{ type: 'ready', instance: SHOP, why: 'accepted a connection' }]));
  });

  it('waits for a line', async () => {
    const { prober, clock, found, watches } = openStage();
    prober.judge(SHOP, { kind: 'log', pattern: '^ready' });
    clock.advance(0);
    expect(found).toEqual([{ type: 'unready', instance: SHOP, answer: 'no line matches /^ready/ yet' }]);
    expect(watches).toMatchObject([{ pattern: '^ready' }]);
    watches[0]?.onSeen({ kind: 'matched', line: 'ready "now"' });
    await turn();
    expect(found.slice(1)).toEqual([{ type: 'ready', instance: SHOP, why: 'printed "ready \\"now\\""' }]);
  });

  it('tells of a line that was there before it looked, and of nothing else', async () => {
    const { prober, clock, found } = openStage({
      watchLog(_, __, onSeen) {
        clock.soon(() => onSeen({ kind: 'matched', line: 'ready' }));
        return () => {};
      },
    });
    prober.judge(SHOP, { kind: 'log', pattern: '^ready' });
    expect(found).toEqual([]);
    clock.advance(0);
    await turn();
    expect(found).toEqual([{ type: 'ready', instance: SHOP, why: 'printed "ready"' }]);
  });

  it('tells when a line cannot be looked for', async () => {
    const { prober, found, watches } = openStage();
    prober.judge(SHOP, { kind: 'log', pattern: '(a+)+$' });
    watches[0]?.onSeen({ kind: 'unusable', why: 'it takes too long' });
    await turn();
    expect(found).toEqual([{ type: 'unready', instance: SHOP, answer: 'it takes too long' }]);
  });
});

describe('a prober that tends', () => {
  it('leaves the instance alone at first, then asks after each interval', async () => {
    const { prober, clock, runs, found } = openStage();
    prober.tend(SHOP, HEALTH);
    clock.advance(29_999);
    await turn();
    expect(runs).toHaveLength(0);
    clock.advance(1);
    await turn();
    expect(runs).toHaveLength(1);
    await runs[0]?.end({});
    clock.advance(9_999);
    await turn();
    expect(runs).toHaveLength(1);
    clock.advance(1);
    await turn();
    expect(runs).toHaveLength(2);
    expect(found).toEqual([]);
  });

  it.each<[string, readonly number[], boolean]>([
    ['two bad answers', [1, 1, 0], false],
    ['three bad answers in a row', [1, 1, 1], true],
    ['three bad answers with a good one between', [1, 1, 0, 1], false],
    ['three in a row after that', [1, 1, 0, 1, 1, 1], true],
  ])('finds it sick, or not, after %s', async (_, codes, sick) => {
    const { prober, clock, runs, found, run } = openStage();
    prober.tend(SHOP, HEALTH);
    clock.advance(20_000);
    for (const [index, code] of codes.entries()) {
      clock.advance(10_000);
      await (await run(index)).end({ code });
    }
    expect(found).toEqual(sick ? [{ type: 'sick', instance: SHOP, answer: 'exit code 1' }] : []);
    clock.advance(10_000);
    await turn();
    expect(runs).toHaveLength(codes.length + (sick ? 0 : 1));
  });

  it('asks again when it was not there itself to hear the answer in time', async () => {
    const { prober, clock, found, run } = openStage();
    prober.tend(SHOP, { ...HEALTH, failures: 1, graceMs: 0 });
    clock.advance(0);
    const first = await run(0);
    clock.standStill(60_000);
    await first.end({ code: null, signal: 'SIGKILL' });
    await (await run(1)).end({ code: 0 });
    expect(found).toEqual([]);
    clock.advance(10_000);
    await (await run(2)).end({ code: 1 });
    expect(found).toEqual([{ type: 'sick', instance: SHOP, answer: 'exit code 1' }]);
  });
});

describe('a prober that forgets', () => {
  it.each(['judge', 'tend'] as const)('what it was to %s ends the question at once, tells nothing and keeps no timer', async (what) => {
    const { prober, clock, runs, found } = openStage();
    if (what === 'judge') prober.judge(SHOP, READY());
    else prober.tend(SHOP, { ...HEALTH, graceMs: 0 });
    clock.advance(0);
    await turn();
    prober.forget(SHOP);
    expect(runs[0]?.signal.aborted).toBe(true);
    await runs[0]?.end({ code: 1 });
    clock.advance(100_000);
    await turn();
    expect(runs).toHaveLength(1);
    expect(found).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('breaks off a connection', async () => {
    await using place = await serve((socket) => void socket.resume());
    const { prober, clock, found } = openStage({ door: () => ({ connect: place.way.connect, [Symbol.dispose]: () => {} }) });
    prober.judge(SHOP, READY({ kind: 'http', target: { kind: 'listen' }, path: '/', status: [200, 299], body: null }));
    await until(() => expect(place.connections).toHaveLength(1));
    prober.forget(SHOP);
    await until(() => expect(place.connections[0]?.destroyed).toBe(true));
    expect(found).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('between two questions, or while a line is waited for', async () => {
    const { prober, clock, runs, found, watches } = openStage();
    prober.judge(SHOP, READY());
    await runs[0]?.end({ code: 1 });
    prober.judge(BLOG, { kind: 'log', pattern: 'ready' });
    prober.forget(SHOP);
    prober.forget(BLOG);
    prober.forget('nobody#3' as InstanceId);
    clock.advance(100_000);
    await turn();
    expect(watches).toMatchObject([{ ended: true }]);
    expect([runs.length, found.length, clock.waiting]).toEqual([1, 1, 0]);
  });

  it('asks one question at a time: who is tended is judged no more', async () => {
    const { prober, clock, runs, found } = openStage();
    prober.judge(SHOP, READY());
    prober.tend(SHOP, { ...HEALTH, graceMs: 0, failures: 1 });
    expect(runs[0]?.signal.aborted).toBe(true);
    await runs[0]?.end({ code: 0 });
    clock.advance(0);
    await turn();
    await runs[1]?.end({ code: 1 });
    expect(found).toEqual([{ type: 'sick', instance: SHOP, answer: 'exit code 1' }]);
  });

  it('goes on with what it is told from within what it finds', async () => {
    const stage = openStage({ sink: (finding) => { if (finding.type === 'ready') stage.prober.tend(SHOP, { ...HEALTH, graceMs: 0 }); } });
    stage.prober.judge(SHOP, READY());
    await stage.runs[0]?.end({ code: 0 });
    stage.clock.advance(0);
    await turn();
    expect(stage.runs).toHaveLength(2);
    expect(stage.runs[1]?.signal.aborted).toBe(false);
  });

  it('forgets all when it is disposed, and waits for what has to end', async () => {
    const { prober, runs, found, clock } = openStage();
    prober.judge(SHOP, READY());
    prober.judge(BLOG, READY());
    let disposed = false;
    const disposing = prober[Symbol.asyncDispose]().then(() => (disposed = true));
    await runs[0]?.end({ code: null });
    expect([runs[0]?.signal.aborted, runs[1]?.signal.aborted, disposed]).toEqual([true, true, false]);
    await runs[1]?.end({ code: null });
    await disposing;
    expect([found.length, clock.waiting]).toEqual([0, 0]);
  });
});
