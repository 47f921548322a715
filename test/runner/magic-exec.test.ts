import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openUserDatabase } from '../../src/kernel/user.ts';
import { ownIdentity } from '../../src/runner/identity.ts';
import { magicExec, type MagicHost } from '../../src/runner/magic-exec.ts';
import { systemClock } from '../../src/world/clock.ts';
import { until } from '../until.ts';

const asRoot = process.getuid?.() === 0;
const users = openUserDatabase(openLibc());
const HOST: MagicHost = { users, own: ownIdentity(users), environment: process.env, clock: systemClock() };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'magic-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  chmodSync(path, 0o777);
  return path;
}

function program(script: string, mode = 0o755): string {
  const path = join(folder(), 'shop.ini');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  return path;
}

async function ask(path: string, changes: Partial<MagicHost> = {}, signal: AbortSignal = new AbortController().signal): Promise<string> {
  const printed = await magicExec(path, null, { ...HOST, ...changes }, signal);
  return printed.ok ? printed.bytes.toString('utf8') : `refused: ${printed.message}`;
}

/** A process, by the number in a file; true: it is gone. */
function isGone(pidFile: string): boolean {
  const pid = Number(readFileSync(pidFile, 'utf8'));
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

it('what it prints is what the file says; it knows where it is', async () => {
  const path = program('echo "[vassal]"; echo "command = $EMPEROR_FILE"; pwd');
  expect(await ask(path)).toBe(`[vassal]\ncommand = ${path}\n${join(path, '..')}\n`);
});

it.each([
  ['exit 3', 'refused: it ended with code 3'],
  ['echo no money >&2; exit 1', 'refused: it ended with code 1; it says: no money'],
  ['kill -9 $$', 'refused: it ended with SIGKILL'],
])('%s: %s', async (script, message) => {
  expect(await ask(program(script))).toBe(message);
});

it('what cannot be executed is refused', async () => {
  const path = program('', 0o755);
  writeFileSync(path, '#!/nowhere/interpreter\n');
  expect(await ask(path)).toMatch(/^refused: it cannot be executed: ENOENT/);
});

it('what has become something else than a file by its turn is refused', async () => {
  const path = join(folder(), 'shop.ini');
  execFileSync('mkfifo', ['-m', '755', path]);
  expect(await ask(path)).toBe('refused: it is no regular file by now');
});

it('one that hangs is killed at its time limit, with all of its group', async () => {
  const path = program('sleep 100000 & echo $! > child; wait');
  expect(await ask(path, { timeLimitMs: 300 })).toBe('refused: it has not ended after 0.3 s');
  await until(() => expect(isGone(join(path, '../child'))).toBe(true));
});

it('one that prints without end is stopped after 1 MiB', async () => {
  const before = process.memoryUsage().rss;
  expect(await ask(program('head -c 1000000000 /dev/zero'))).toBe('refused: it prints more than 1 MiB');
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

it('of one that forks and ends, what it printed counts, and the rest of its group is killed', async () => {
  const path = program('sleep 100000 & echo $! > child; echo done');
  expect(await ask(path)).toBe('done\n');
  await until(() => expect(isGone(join(path, '../child'))).toBe(true));
});

it('the end of the emperor ends it', async () => {
  const abort = new AbortController();
  const answer = ask(program('sleep 100000'), {}, abort.signal);
  abort.abort();
  expect(await answer).toBe('refused: the emperor ends');
});

it('gets nothing of the emperor\'s environment but PATH', async () => {
  expect(await ask(program('echo "$SECRET."'), { environment: { ...process.env, SECRET: 'x' } })).toBe('.\n');
});

it.runIf(asRoot).each([[0o775], [0o757]])('root runs nothing that others can write, mode %o', async (mode) => {
  expect(await ask(program('id -u', mode))).toBe(`refused: root runs nothing that others can write (mode ${mode.toString(8)})`);
});

it.runIf(asRoot)('runs as its owner, with no way to more', async () => {
  const path = program('id -u; grep NoNewPrivs /proc/self/status');
  chownSync(path, 65_534, 65_534);
  expect(await ask(path)).toBe('65534\nNoNewPrivs:\t1\n');
});

it.runIf(asRoot)('with a settled owner, nothing that somebody else has put there is run', async () => {
  const path = program('id -u');
  chownSync(path, 5, 60);
  expect(await magicExec(path, { uid: 65_534, gid: 65_534 }, HOST, new AbortController().signal)).toEqual({ ok: false, message: 'it belongs to uid 5 by now' });
});
