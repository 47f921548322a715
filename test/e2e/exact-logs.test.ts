import { readdirSync, readFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { Daemon, makePlace, toml } from './daemon.ts';

const COUNTS = new URL('../fixtures/programs/counts.mjs', import.meta.url).pathname;
/** As often as that, but no longer than that. */
const KILLS = 10;
const LONGEST_MS = 20_000;
const FEWEST_KILLS = 3;
const MOST_PARTS = 1_000;

/** All that is in a log, oldest first. What is there in both forms counts as compressed: the emperor died before it removed the other. */
function readLog(folder: string, log: string): string {
  const names = new Set(readdirSync(folder).filter((name) => name === log || /^\.\d+(\.gz)?$/.test(name.slice(log.length)) && name.startsWith(log)));
  const number = (name: string): number => Number(/^\.(\d+)/.exec(name.slice(log.length))?.[1] ?? 0);
  expect(names.size, `parts of ${log}: what was dropped cannot be counted`).toBeLessThan(MOST_PARTS);
  return [...names]
    .filter((name) => !names.has(`${name}.gz`))
    .sort((one, other) => number(other) - number(one))
    .map((name) => (name.endsWith('.gz') ? gunzipSync(readFileSync(join(folder, name))) : readFileSync(join(folder, name))).toString())
    .join('');
}

/** Waits until a file has appeared in a folder, or got another name, so many times. */
async function untilPartsCome(folder: string, times: number): Promise<void> {
  let seen = 0;
  for await (const { eventType } of watch(folder, { signal: AbortSignal.timeout(25_000) })) {
    if (eventType === 'rename') seen += 1;
    if (seen >= times) return;
  }
}

/** What is wrong with the numbers of one printer; the first few things. */
function faults(lines: readonly string[], who: string, printed: number): readonly string[] {
  const found: string[] = [];
  let last = 0;
  for (const line of lines) {
    if (!line.startsWith(`${who} `)) continue;
    const number = Number(line.split(' ')[1]);
    if (number !== last + 1) found.push(`${last} is followed by ${line}`);
    last = number;
  }
  if (last !== printed) found.push(`${last} is the last of ${printed}`);
  return found.slice(0, 5);
}

it('every line is in its log exactly once and in order, however often the emperor is killed while logs are written, rotated and compressed', async () => {
  const place = makePlace();
  let daemon = await Daemon.start(place);
  try {
    const count = (who: string): string => join(place.folder, `${who}.count`);
    const program = (who: string, ...more: readonly string[]): readonly string[] => [process.execPath, COUNTS, who, count(who), ...more];
    const log = (size: string): string => `log = { max-size = "${size}", keep = ${MOST_PARTS} }`;
    const printers: Readonly<Record<string, readonly [...pauseMs: readonly string[], size: string]>> = { loud: ['2M'], noisy: ['500K'], slow: ['3', '4K'], slower: ['40', '1K'] };
    for (const [who, how] of Object.entries(printers)) daemon.write(`${who}.toml`, toml(program(who, ...how.slice(0, -1)), log(how.at(-1)!)));
    // Two instances print into one log: their lines do not get into each other.
    const pair = ['/bin/sh', '-c', 'exec "$0" "$1" "$EMPEROR_INSTANCE" "$2/${EMPEROR_INSTANCE#*#}.count" $3', process.execPath, COUNTS, place.folder, '0'];
    daemon.write('pair.toml', toml(pair, log('100K'), 'instances = 2'));
    for (const name of [...Object.keys(printers), 'pair']) await daemon.untilState(name, 'ready');
    const startedMs = performance.now();
    for (let kill = 0; kill < KILLS && (kill < FEWEST_KILLS || performance.now() - startedMs < LONGEST_MS); kill++) {
      // At whatever moment of its work that is.
      await untilPartsCome(place.logs, 1 + Math.floor(Math.random() * 12));
      if (kill % 4 === 3) expect(await daemon.cli('shutdown', '--keep')).toMatchObject({ code: 0 });
      else await daemon.end('SIGKILL');
      daemon = await daemon.successor();
    }
    for (const name of [...Object.keys(printers), 'pair']) await daemon.untilState(name, 'ready');
    const ids = (await daemon.vassal('pair'))!.instances.map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(await daemon.cli('stop', ...Object.keys(printers), 'pair')).toMatchObject({ code: 0 });
    await daemon.end();
    for (const who of Object.keys(printers)) {
      const lines = readLog(place.logs, `${who}.log`).split('\n');
      expect([who, faults(lines, who, Number(readFileSync(count(who), 'utf8')))]).toEqual([who, []]);
    }
    const lines = readLog(place.logs, 'pair.log').split('\n');
    for (const id of ids) {
      const file = join(place.folder, `${id.replace(/^.*#/, '')}.count`);
      expect([id, faults(lines, id, Number(readFileSync(file, 'utf8')))]).toEqual([id, []]);
    }
    expect(lines.filter((line) => !/^(pair#\d+ \d+ \.*)?$/.test(line))).toEqual([]);
  } finally {
    await daemon[Symbol.asyncDispose]();
  }
}, 90_000);
