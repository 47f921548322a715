import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { boot } from '../../src/emperor/boot.ts';
import type { Settings } from '../../src/emperor/settings.ts';
import { findMarked } from '../../src/runner/strays.ts';
import { openStore } from '../../src/store/sqlite.ts';
import { until } from '../until.ts';

/** More than are started at one moment. */
const VASSALS = 60;

/** A folder for all that an emperor needs, with vassal files. What is started in it is killed at the end. */
function openCourt(): Disposable & { readonly settings: Settings } {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-boot-'));
  const state = join(folder, 'state');
  mkdirSync(join(folder, 'vassals'));
  for (let each = 0; each < VASSALS; each += 1) writeFileSync(join(folder, 'vassals', `shop-${each}.toml`), '[vassal]\ncommand = ["/bin/sleep", "1000"]\n');
  return {
    settings: {
      sources: [join(folder, 'vassals')], state, control: join(folder, 'control.sock'), controlGroup: null, allowWritable: false, logs: join(folder, 'logs'),
      logLevel: 'error', rescanMs: 0, maxStarting: 4, cgroup: 'none', files: null, environment: process.env, startedBy: 'test', program: { file: '/bin/false', args: [], rehearsal: [] }, hooks: { own: [], vassalsStart: null, vassalsStop: null }, stats: null, statsHttp: false, heartbeatMs: null, commandSocket: null, readable: false,
    },
    [Symbol.dispose]() {
      for (const { process: { pid } } of findMarked(state)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}

it('writes down every process that was being started when the emperor went and its instances stayed', async () => {
  using court = openCourt();
  const { settings } = court;
  const emperor = await boot(settings, () => {});
  await until(() => expect(findMarked(settings.state)).not.toEqual([]));
  emperor.post({ type: 'shutdown', keep: true, actor: 'test' });
  await emperor.ended;
  using store = openStore(settings.state, { now: () => 0, onTrouble: () => undefined });
  const recorded = store.load().vassals.flatMap(({ instances }) => instances.flatMap((each) => each.process?.pid ?? []));
  expect(new Set(recorded)).toEqual(new Set(findMarked(settings.state).map((each) => each.process.pid)));
});
