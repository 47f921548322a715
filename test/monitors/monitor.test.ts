import { existsSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { openLeases } from '../../src/kernel/lease.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openChokidarHints } from '../../src/monitors/chokidar-hints.ts';
import { openMonitor } from '../../src/monitors/registry.ts';
import { describeMonitor, type MonitorUnderTest } from '../contracts/monitor.ts';
import { HandClock } from '../fakes/clock.ts';
import { HandMonitor } from '../fakes/monitor.ts';
import { tempFolder, turns } from './stage.ts';

describeMonitor('the fake', () => {
  const monitor = new HandMonitor();
  const texts = new Map<string, string>();
  const subject: MonitorUnderTest = {
    monitor,
    put: (name, text) => Promise.resolve(monitor.put(name, texts.set(name, text).get(name) ?? '')),
    touch: (name) => Promise.resolve(monitor.put(name, texts.get(name) ?? '')),
    remove: (name) => Promise.resolve(monitor.remove(name)),
    hide: () => Promise.resolve(monitor.blind('hidden')),
    unhide: () => Promise.resolve(monitor.blind(null)),
    during: (promise) => promise,
    [Symbol.asyncDispose]: () => monitor[Symbol.asyncDispose](),
  };
  return Promise.resolve(subject);
});

describeMonitor('a folder', () => ofFiles((folder) => `dir://${folder}`));
describeMonitor('a pattern', () => ofFiles((folder) => `glob://${folder}/[a-z].toml`));

function ofFiles(source: (folder: string) => string): Promise<MonitorUnderTest> {
  const temp = tempFolder();
  const folder = `${temp.path}/v`;
  temp.file('v/.keep');
  const clock = new HandClock();
  const hints = openChokidarHints(clock, () => undefined);
  const monitor = openMonitor(source(folder), '/', { clock, hints, leases: openLeases(openLibc()), trust: null, rescanMs: 0, onTrouble() {} });
  let ended = false;

  async function during<T>(promise: Promise<T>): Promise<T> {
    const state = { over: false };
    const watched = promise.finally(() => {
      state.over = true;
    });
    while (!state.over) {
      await turns();
      clock.advance(1);
    }
    return watched;
  }

  async function chance(): Promise<void> {
    if (ended) return;
    await turns();
    for (let step = 0; step < 40; step += 1) {
      clock.advance(10);
      await turns();
    }
    await during(monitor.rescan());
  }

  return Promise.resolve({
    monitor,
    during,
    async put(name, text) {
      if (!existsSync(folder)) return;
      writeFileSync(`${folder}/${name}.toml`, text);
      await chance();
    },
    async touch(name) {
      utimesSync(`${folder}/${name}.toml`, 1_234_567_890, 1_234_567_890);
      await chance();
    },
    async remove(name) {
      rmSync(`${folder}/${name}.toml`);
      await chance();
    },
    async hide() {
      renameSync(folder, `${folder}-hidden`);
      await chance();
    },
    async unhide() {
      renameSync(`${folder}-hidden`, folder);
      await chance();
    },
    async [Symbol.asyncDispose]() {
      ended = true;
      await monitor[Symbol.asyncDispose]();
      await hints[Symbol.asyncDispose]();
      temp[Symbol.dispose]();
    },
  } satisfies MonitorUnderTest);
}
