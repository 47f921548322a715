import { expect, it } from 'vitest';
import { uwsgiEmperorStats } from '../../src/metrics/uwsgi-emperor.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

const KNOWN = {
  version: '0.1.0', pid: 1, uid: 0, gid: 0, cwd: '/', tyrant: false, startedAt: 1_600_000_000_000, changedAt: () => 1_650_000_000_999, ownerOf: () => ({ uid: 33, gid: 34 }),
  hooks: { running: 0, queued: 0, ended: 0, failed: 0, dropped: 0 },
};

interface Told {
  readonly vassals: readonly Readonly<Record<string, unknown>>[];
  readonly blacklist: readonly Readonly<Record<string, unknown>>[];
}

function statsOf(emperor: FakeEmperor): Told {
  return uwsgiEmperorStats(emperor.snapshot(), emperor.now(), KNOWN) as Told;
}

function oneOf(emperor: FakeEmperor): Readonly<Record<string, unknown>> {
  return statsOf(emperor).vassals[0] ?? {};
}

// uWSGI 2.0.21, seen on its own `emperor-stats`.
const TOP = ['version', 'pid', 'uid', 'gid', 'cwd', 'emperor', 'emperor_tyrant', 'throttle_level', 'vassals', 'blacklist'];
const VASSAL = ['id', 'pid', 'born', 'last_mod', 'last_heartbeat', 'loyal', 'ready', 'accepting', 'last_loyal', 'last_ready', 'last_accepting', 'first_run', 'last_run', 'cursed', 'zerg', 'on_demand', 'uid', 'gid', 'monitor', 'respawns'];

it('has the fields of a uWSGI Emperor, in its order, and its own behind them', () => {
  const emperor = new FakeEmperor('dir:///v');
  emperor.list(declare('shop'));
  emperor.rise('shop');
  emperor.list(declare('shop'), declareFaulty('blog'));
  const told = statsOf(emperor);
  expect(Object.keys(told).slice(0, TOP.length)).toEqual(TOP);
  for (const vassal of told.vassals) expect(Object.keys(vassal).slice(0, VASSAL.length)).toEqual(VASSAL);
  expect(JSON.parse(JSON.stringify(told))).toEqual(told);
});

it('tells when it was started, ready and loyal, in whole seconds', () => {
  const emperor = new FakeEmperor('dir:///v');
  const startSeconds = emperor.ms / 1_000;
  emperor.list(declare('shop'));
  expect(oneOf(emperor)).toMatchObject({ id: 'shop.toml', pid: -1, ready: 0, accepting: 0, loyal: 0, last_ready: 0, first_run: startSeconds, born: 1_650_000_000, last_mod: 1_650_000_000, uid: 33, gid: 34 });
  emperor.spawn('shop', 4242);
  emperor.wait(1_000);
  expect(oneOf(emperor)).toMatchObject({ pid: 4242, ready: 1, accepting: 1, loyal: 0, last_ready: startSeconds + 1, last_accepting: startSeconds + 1, last_run: startSeconds, cursed: 0, monitor: 'dir:///v', respawns: 0 });
  emperor.wait(60_000);
  expect(oneOf(emperor)).toMatchObject({ loyal: 1, last_loyal: startSeconds + 61 });
  emperor.play({ type: 'order', verb: 'stop', vassal: emperor.vassal('shop')!.id, actor: 'test' });
  emperor.wait(2_000);
  expect(oneOf(emperor)).toMatchObject({ state: 'stopping', cursed: startSeconds + 61, instances: [{ id: 'shop#1', state: 'stopping' }] });
});

it('counts starts after deaths, and blacklists who waits for its next one', () => {
  const emperor = new FakeEmperor('dir:///v');
  emperor.list(declare('shop'));
  emperor.rise('shop');
  for (let death = 0; death < 2; death += 1) {
    emperor.exit('shop');
    if (death === 0) emperor.spawn('shop');
  }
  expect(oneOf(emperor)).toMatchObject({ respawns: 1, state: 'backoff', pid: -1, failure: { code: 'E_EXITED' } });
  expect(statsOf(emperor).blacklist).toEqual([{ id: 'shop.toml', throttle_level: 250, attempt: 2, first_attempt: Math.floor(emperor.ms / 1_000), last_attempt: Math.floor(emperor.ms / 1_000) }]);
});

it('names the address of who is on demand', () => {
  const emperor = new FakeEmperor('dir:///v');
  emperor.list(declare('shop', { onDemand: true, listen: [{ address: { kind: 'tcp', host: '127.0.0.1', port: 80, v6only: false }, backlog: 1, mode: null, user: null, group: null }] }));
  expect(oneOf(emperor)).toMatchObject({ on_demand: '127.0.0.1:80', pid: -1, state: 'idle', instances: [] });
});
