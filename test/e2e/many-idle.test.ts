import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Daemon, makePlace } from './daemon.ts';

/** What a process has had of the cores until now, in ms: proc_pid_stat(5). A busy host makes it slower, but not more. */
function cpuMs(daemon: Daemon): number {
  const fields = readFileSync(`/proc/${daemon.process.pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const lazy = (...listen: readonly string[]): string => ['[vassal]', 'command = ["sleep", "1000"]', `listen = ${JSON.stringify(listen)}`, 'on-demand = true', ''].join('\n');

it('200 vassals on demand are registered with less than two seconds of work', async () => {
  await using daemon = await Daemon.start();
  const beforeMs = cpuMs(daemon);
  for (let each = 0; each < 200; each += 1) daemon.write(`lazy${each}.toml`, lazy(`unix:${join(daemon.place.folder, `${each}.sock`)}`));
  await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'idle').length === 200, 'all are idle');
  expect(cpuMs(daemon) - beforeMs).toBeLessThan(2_000);
}, 60_000);

it('200 files of uWSGI on demand, each at a socket of its name, take no more', async () => {
  const place = makePlace();
  await using daemon = await Daemon.start(place, { args: ['--on-demand-directory', place.folder] });
  const beforeMs = cpuMs(daemon);
  for (let each = 0; each < 200; each += 1) daemon.write(`lazy${each}.ini`, '[uwsgi]\nmodule = app\n');
  await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'idle').length === 200, 'all are idle');
  expect(cpuMs(daemon) - beforeMs).toBeLessThan(2_000);
}, 60_000);

it('a boot with two thousand idle addresses takes seconds of work', async () => {
  const place = makePlace();
  const first = await Daemon.start(place);
  // One vassal may have many.
  for (let each = 0; each < 20; each += 1) first.write(`lazy${each}.toml`, lazy(...Array.from({ length: 100 }, (_, index) => `unix:${join(place.folder, `${each}-${index}.sock`)}`)));
  await first.end('SIGKILL');
  await using daemon = await first.successor();
  await daemon.until(({ vassals }) => vassals.filter(({ state }) => state === 'idle').length === 20, 'all are idle');
  expect(cpuMs(daemon)).toBeLessThan(10_000);
}, 120_000);
