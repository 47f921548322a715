import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../until.ts';
import { Daemon, makePlace, toml } from './daemon.ts';

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

/** Clears, titles, rings, moves, turns, in C0, C1 and direction marks; and what looks like lines of others. */
const ATTACK = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u0008\u202E\u2066\u2028\u007F';
const FORGED = '\r{"level":"info","vassal":"other","msg":"ready"}\remperor: all is well';

/** What may not reach a terminal. Line ends are the terminal's own. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROL = /[\u0000-\u0008\u000B-\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\u2028\u2029]|\r(?!\n)/;

/** A command on a terminal of its own, script(1): all that the terminal gets, stdout and stderr. */
async function onTerminal(env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<string> {
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const child = spawn('script', ['-qec', quoted, '/dev/null'], { env: { ...process.env, ...env, TERM: 'xterm' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString();
}

it('shows what vassals, files and instances say without letting it steer the terminal, by every verb', async () => {
  await using daemon = await Daemon.start();
  const env = { EMPEROR_CONTROL: daemon.place.control };
  const name = `evil${ATTACK.replaceAll('/', '')}\n2026-01-01 00:00:00.000Z  shop  ready: forged`;
  const says = `import socket, os, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ["NOTIFY_SOCKET"])
print(${JSON.stringify(ATTACK + FORGED)}, flush=True)
s.send((${JSON.stringify(`READY=1\nSTATUS=${ATTACK}${FORGED}`)}).encode())
time.sleep(100000)`;
  const file = `${name}.json`;
  const vassal = (comment: string, more: object = {}): string => JSON.stringify({ vassal: { command: ['python3', '-c', says], ready: { notify: true }, directory: daemon.place.folder, ...more } }, null, 1).replace('"directory"', `${comment}"directory"`);
  daemon.write(file, vassal(''));
  await daemon.untilState(name, 'ready');
  // A text with escapes in its keys and values, which JSON takes as they are, so that its faults quote them.
  daemon.write(file, vassal('', { [`key${ATTACK}`]: 1, user: `u\u009B2J\u202E` }));
  await daemon.until(({ vassals }) => vassals[0]?.failure?.code === 'E_KEY_UNKNOWN', 'the fault is told');
  // oxlint-disable-next-line no-control-regex -- TOML wants them escaped
  daemon.write('dies.toml', toml(['/bin/sh', '-c', `printf '%%s\\n' "$1"; exit 1`, 'sh', `${ATTACK}${FORGED}`.replaceAll('\u0000', '')]).replaceAll(/[\u0000-\u0009\u000B-\u001F\u007F]/gu, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`));
  await daemon.untilState('dies', 'backoff');
  await until(() => expect(readdirSync(daemon.place.logs)).toHaveLength(2));

  const verbs: readonly (readonly string[])[] = [
    ['status'], ['status', '--json'], ['status', name], ['status', 'dies'], ['why', name], ['why', '--json', name], ['why', 'dies'], ['logs', name], ['logs', '--json', name], ['logs', 'dies'],
    ['events'], ['events', '--json'], ['history', name], ['history', '--json', name], ['diff', name, '1', '2'], ['diff', '--json', name, '1', '2'],
    ['reload', name], ['reload', '--json', name], ['reload', 'dies'], ['rollback', name, '9'], ['status', `no${ATTACK}`], ['check', daemon.place.vassals], ['check', '--json', daemon.place.vassals],
    ['check', `/no${ATTACK}`], ['certify', name], ['run', `scheme${ATTACK}://x`],
  ];
  for (const words of verbs) {
    const shown = await onTerminal(env, process.execPath, MAIN, ...words.map((word) => word.replaceAll('\u0000', '')));
    expect(shown, words[0]).not.toMatch(CONTROL);
    expect(shown.length, words[0]).toBeGreaterThan(0);
    if (!words.includes('--json')) expect(shown.split('\r\n').filter((line) => /^(?:2026-01-01 00|\{"level"|emperor: all is well)/.test(line)), words.join(' ')).toEqual([]);
    else if (words[0] !== 'logs' && words[0] !== 'events') expect(() => JSON.parse(shown) as unknown, words.join(' ')).not.toThrow();
  }
  expect((await daemon.cli('logs', name)).stdout).toContain(`${ATTACK}${FORGED}\n`);

  // Its own log goes to a pipe here: one line, one object, each of its own making.
  for (const line of daemon.output) expect(JSON.parse(line)).toHaveProperty('level');
  expect(daemon.output.filter((line) => (JSON.parse(line) as { vassal?: string }).vassal === 'other')).toEqual([]);
  expect(existsSync(join(daemon.place.folder, 'owned'))).toBe(false);
}, 120_000);

it('shows its own log on a terminal without letting names, faults and output steer it', async () => {
  const place = makePlace();
  await using daemon = await Daemon.start(place);
  const name = `evil${ATTACK}\n12:00:00.000 INFO: forged`;
  daemon.write(`${name}.toml`, toml(['/bin/sh', '-c', `printf '\\033[2J\\n'; exit 1`]));
  daemon.write('bad.json', JSON.stringify({ vassal: { command: ['x'], [`key${ATTACK}`]: `v${ATTACK}` } }));
  await daemon.end();
  const child = spawn('script', ['-qec', [process.execPath, MAIN, 'run', place.vassals, '--state', place.state, '--logs', place.logs, '--control', place.control, '--log-level', 'trace'].map((word) => `'${word}'`).join(' '), '/dev/null'],
    { env: { ...process.env, TERM: 'xterm' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const shown = (): string => Buffer.concat(chunks).toString();
  await until(() => expect(shown()).toMatch(/backoff/));
  execFileSync(process.execPath, [MAIN, 'shutdown', '--control', place.control]);
  await once(child, 'close');
  // Colours are its own.
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const lines = shown().replaceAll(/\u001B\[\d+m/g, '').split('\r\n');
  expect(lines.filter((line) => CONTROL.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('12:00:00.000'))).toEqual([]);
  expect(lines.some((line) => line.includes('evil\\e[2J'))).toBe(true);
}, 60_000);
