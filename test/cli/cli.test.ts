import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { host, logsOf, quote, temporaryFolder, type Host } from '../control/host.ts';
import { declare, declareFaulty } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as a process of its own. */
function start(args: readonly string[], env: Record<string, string> = {}): { readonly child: ChildProcess; readonly ended: Promise<Ended>; readonly stdout: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { child, ended, stdout: () => stdout };
}

function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return start(args, env).ended;
}

/** A host with the vassal "shop", which is ready, and "bad", whose file is at fault. */
async function reigning(): Promise<Host & { readonly env: Record<string, string> }> {
  const emperor = new FakeEmperor();
  emperor.list(declare('shop'), declareFaulty('bad'));
  emperor.spawn('shop', 4242);
  emperor.wait(1_000);
  const hosted = await host({ emperor, logs: logsOf('one\n\u001B[31mtwo\n') });
  return { ...hosted, env: { EMPEROR_CONTROL: hosted.path } };
}

describe('a wrong command line exits 2:', () => {
  it.each([
    [['stats'], 'unknown command'],
    [['status', '--jsom'], 'unknown option'],
    [['status', 'a', 'b'], 'too many arguments'],
    [['stop'], 'missing required argument'],
    [['logs'], 'missing required argument'],
    [['logs', 'shop', '-n', 'many'], 'whole number'],
    [['stop', 'shop', '--timeout', 'soon'], 'duration'],
    [['stop', 'shop', '--timeout', '0s'], 'duration'],
    [['scale', 'shop'], 'missing required argument'],
    [['scale', 'shop', 'many'], 'whole number from 1 to 1000'],
    [['scale', 'shop', '0'], 'whole number'],
    [['rollback'], 'missing required argument'],
    [['rollback', 'shop', 'one'], 'whole number'],
    [['rollback', 'shop', '1', '2'], 'too many arguments'],
    [['diff', 'shop', 'x'], 'whole number'],
    [['history', 'shop', '-n', '-1'], 'whole number'],
    [['why'], 'missing required argument'],
    [['run', '--log-level', 'loud'], 'Allowed choices'],
    [['run', '--rescan', 'often'], 'duration'],
    [['run', '--config', '/nowhere.toml'], 'cannot read the configuration file'],
    [['check'], 'missing required argument'],
    [['check', '/nowhere/at/all'], 'there is no "/nowhere/at/all" to check'],
    [['help', 'nothing'], 'there is no verb "nothing"'],
    [[], 'Usage: emperor'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('help', () => {
  it.each([[['--version'], /^0\.1\.0\n$/], [['--help'], /Usage: emperor[^]*reload[^]*shutdown/], [['help'], /Usage: emperor/], [['help', 'stop'], /--no-wait/], [['stop', '--help'], /--timeout/], [['scale', '--help'], /how many instances[^]*--no-wait/], [['rollback', '--help'], /left as it is[^]*before what runs/], [['diff', '--help'], /unified\s+diff/], [['help', 'keys'], /stop-timeout/]])('%j', async (args, text) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(text);
  });
});

describe('without an emperor', () => {
  it.each([
    ['status'], ['start', 'shop'], ['stop', 'shop'], ['restart', 'shop'], ['reload', 'shop'], ['logs', 'shop'], ['events'], ['shutdown'],
    ['pause', 'shop'], ['resume', 'shop'], ['scale', 'shop', '2'], ['rollback', 'shop'],
    ['history', 'shop'], ['diff', 'shop'], ['why', 'shop'],
  ])('%s exits 7', async (...args) => {
    const path = join(temporaryFolder(), 'control.sock');
    const { code, stdout, stderr } = await run([...args, '--control', path]);
    expect([code, stdout]).toEqual([7, '']);
    expect(stderr).toBe(`emperor: no emperor answers on ${path}: there is no such socket; start one with "emperor run", or name its socket with --control or EMPEROR_CONTROL\n`);
  });

  it('a socket that was left behind exits 7, too', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'control.sock');
    const dead = spawn(process.execPath, ['-e', `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(dead.stdout, 'data');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    expect(await run(['status'], { EMPEROR_CONTROL: path })).toMatchObject({ code: 7, stderr: expect.stringContaining('the emperor that made it is gone') });
  });
});

describe('status', () => {
  it('is a table', async () => {
    const { env } = await reigning();
    const { code, stdout } = await run(['status'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^emperor 0\.1\.0, pid 4242,[^]*\nshop +ready +4242 +1 /);
    expect(stdout).toContain('E_KEY_UNKNOWN: unknown key "x"');
  });

  it('--json is the document of the control socket', async () => {
    const { env, ask } = await reigning();
    const { code, stdout } = await run(['status', '--json'], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual((await ask('GET', '/v1/status')).json);
  });

  it.each([['shop', 0], ['bad', 3], ['ghost', 4]])('%s exits %i', async (name, code) => {
    const { env } = await reigning();
    expect((await run(['status', name], env)).code).toBe(code);
    expect((await run(['status', name, '--json'], env)).code).toBe(code);
  });
});

describe('orders', () => {
  it.each([
    [['start', 'shop'], 0, 'shop: started\n', ''],
    [['start', 'ghost'], 4, '', 'there is no vassal "ghost"'],
    [['reload', 'bad'], 78, '', 'unknown key "x" at /v/bad.toml:1'],
    [['start', 'bad', 'shop'], 78, 'shop: started\n', 'bad: start failed (E_KEY_UNKNOWN)'],
    [['start', 'bad', 'ghost', 'shop'], 1, 'shop: started\n', 'ghost'],
    [['resume', 'shop'], 0, 'shop: resumed\n', ''],
    [['scale', 'shop', '1'], 0, 'shop: scaled\n', ''],
    [['scale', 'ghost', '1'], 4, '', 'there is no vassal "ghost"'],
    [['rollback', 'shop'], 1, '', 'shop: rollback failed (E_VALUE): there is no revision before 1 that could be run'],
    [['rollback', 'shop', '7'], 1, '', 'there is no revision 7; there are 1 to 1'],
    [['rollback', '--no-wait', 'shop', '1'], 0, 'shop: rollback was asked for\n', ''],
    [['pause', '--no-wait', 'shop'], 0, 'shop: pause was asked for\n', ''],
    [['stop', '--no-wait', 'shop'], 0, 'shop: stop was asked for\n', ''],
    [['stop', 'shop', '--timeout', '5m'], 0, 'shop: stopped\n', ''],
  ])('%j exits %i', async (args, code, stdout, stderr) => {
    const { env, emperor } = await reigning();
    const { ended } = start(args, env);
    if (args[0] === 'stop') {
      await expect.poll(() => emperor.vassal('shop')?.state.phase, { timeout: 20_000 }).toBe('stopping');
      emperor.exit('shop');
    }
    const result = await ended;
    expect([result.code, result.stdout]).toEqual([code, stdout]);
    expect(result.stderr).toContain(stderr);
  });

  it('that fail say why, and show the last words', async () => {
    const { env, emperor } = await reigning();
    const { ended } = start(['restart', 'shop'], env);
    await expect.poll(() => emperor.vassal('shop')?.state.phase, { timeout: 20_000 }).toBe('stopping');
    emperor.exit('shop');
    emperor.spawn('shop');
    emperor.exit('shop', { kind: 'exited', code: 3 });
    quote(emperor, 'shop', 'one', '\u001B[31mtwo');
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^shop: restart failed \(E_EXITED\): .* exited with code 3.*\n {2}\| one\n {2}\| \\e\[31mtwo\n {2}see "emperor logs shop"/);
  });

  it('that take too long exit 75', async () => {
    const { env, emperor } = await reigning();
    const { ended } = start(['stop', 'shop', '--timeout', '10s'], env);
    await expect.poll(() => emperor.vassal('shop')?.state.phase, { timeout: 20_000 }).toBe('stopping');
    emperor.wait(10_000);
    expect(await ended).toMatchObject({ code: 75, stderr: expect.stringContaining('within 10 s') });
  });

  it('lose their emperor: exit 7', async () => {
    const { env, emperor, close } = await reigning();
    const { ended } = start(['stop', 'shop'], env);
    await expect.poll(() => emperor.vassal('shop')?.state.phase, { timeout: 20_000 }).toBe('stopping');
    await close();
    expect(await ended).toMatchObject({ code: 7, stderr: expect.stringContaining('went away before it had answered') });
  });

  it('are signed by who asks', async () => {
    const { env, emperor } = await reigning();
    const { child, ended } = start(['stop', '--no-wait', 'shop'], { ...env, SUDO_USER: 'alice' });
    await ended;
    expect(emperor.posted).toMatchObject([{ type: 'order', actor: `uid ${process.getuid?.()}[${child.pid}] claiming "alice (sudo)"` }]);
  });
});

describe('logs', () => {
  it('are the bytes that were printed', async () => {
    const { env } = await reigning();
    expect(await run(['logs', 'shop'], env)).toEqual({ code: 0, stdout: 'one\n\u001B[31mtwo\n', stderr: '' });
  });

  it('--json are an object a line', async () => {
    const { env } = await reigning();
    const { stdout } = await run(['logs', '--json', 'shop'], env);
    expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([{ name: 'shop', line: 'one' }, { name: 'shop', line: '\u001B[31mtwo' }]);
  });

  it('of nobody exit 4', async () => {
    const { env } = await reigning();
    expect((await run(['logs', 'ghost'], env)).code).toBe(4);
  });
});

describe('the revisions of a vassal file', () => {
  /** "shop" with two revisions. */
  async function revised(): Promise<Record<string, string>> {
    const { env, emperor } = await reigning();
    emperor.list(declare('shop', {}, 'workers = 2\n\u001B[2J\n', 2), declareFaulty('bad'));
    return env;
  }

  it('are a table, or a document', async () => {
    const env = await revised();
    const { code, stdout } = await run(['history', 'shop'], env);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^REV +FIRST SEEN +AGE +HASH/), expect.stringMatching(/^ +1 .* yes +good$/), expect.stringMatching(/^ +2 .* yes +newest$/),
    ]);
    expect(JSON.parse((await run(['history', 'shop', '--json', '-n', '1'], env)).stdout)).toMatchObject({ name: 'shop', revisions: [{ number: 2, marks: ['newest'] }] });
  });

  it('are compared, byte by byte if it is not for a terminal', async () => {
    const env = await revised();
    const { code, stdout, stderr } = await run(['diff', 'shop'], env);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^--- \/v\/shop\.toml\trevision 1, [^\n]*\n\+\+\+ \/v\/shop\.toml\trevision 2, /);
    expect(stdout).toContain('-a\n\\ No newline at end of file\n+workers = 2\n+\u001B[2J\n');
    expect(JSON.parse((await run(['diff', 'shop', '2', '1', '--json'], env)).stdout)).toMatchObject({ from: { number: 2 }, to: { number: 1 }, patch: expect.stringContaining('-workers = 2') });
  });

  it('that are the same have no difference: exit 0', async () => {
    expect(await run(['diff', 'shop', '2', '2'], await revised())).toEqual({ code: 0, stdout: '', stderr: 'emperor: revisions 2 and 2 hold the same text\n' });
  });

  it.each([[['history', 'ghost'], 4], [['diff', 'ghost'], 4], [['why', 'ghost'], 4], [['diff', 'shop', '9'], 1]] as const)('%j exits %i', async (args, code) => {
    expect(await run(args, await revised())).toMatchObject({ code, stdout: '' });
  });
});

describe('why', () => {
  it('is told in sentences, or as a document', async () => {
    const { env } = await reigning();
    const { code, stdout } = await run(['why', 'bad'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^bad is invalid, revision 1, since [^]*E_KEY_UNKNOWN[^]*\nMend its file: /);
    expect(JSON.parse((await run(['why', 'shop', '--json'], env)).stdout)).toMatchObject({ name: 'shop', state: 'ready', failure: null });
  });
});

describe('events', () => {
  it('are lines for people, or for scripts', async () => {
    const { env } = await reigning();
    expect((await run(['events', 'shop', '-n', '1'], env)).stdout).toMatch(/^2023-11-14 22:13:21\.000Z {2}shop#1 {2}ready starting → ready: .*\n$/);
    expect(JSON.parse((await run(['events', 'shop', '-n', '1', '--json'], env)).stdout)).toMatchObject({ event: 'ready', name: 'shop', to: 'ready' });
  });

  it('-f go on, and end without a word when their reader has seen enough', async () => {
    const { env, emperor } = await reigning();
    const { child, ended, stdout } = start(['events', '-f', '-n', '0'], env);
    await expect.poll(() => emperor.observers, { timeout: 20_000 }).toBe(1);
    emperor.exit('shop');
    await expect.poll(stdout, { timeout: 20_000 }).toContain('exited');
    child.stdout!.destroy();
    // The pipe breaks at the next line.
    let times = 0;
    const noise = setInterval(() => emperor.play({ type: 'blind', source: 'dir:///v', reason: `${times += 1} times` }), 20);
    onTestFinished(() => clearInterval(noise));
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([0, '']);
    await expect.poll(() => emperor.observers).toBe(0);
  });
});

describe('shutdown', () => {
  it('is heard at once without waiting', async () => {
    const { env, emperor } = await reigning();
    expect(await run(['shutdown', '--no-wait', '--keep'], env)).toEqual({ code: 0, stdout: 'the emperor (pid 4242) was told to end\n', stderr: '' });
    expect(emperor.posted).toMatchObject([{ type: 'shutdown', keep: true }]);
  });

  it('waits until the emperor is gone', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'control.sock');
    // Stands for an emperor that answers, and whose process ends when it is told to.
    const emperor = spawn(process.execPath, ['-e', `
      const server = require('node:http').createServer((request, response) => {
        response.writeHead(200).write('{"pid":' + process.pid + '}\\n');
        console.log('asked');
      }).listen(${JSON.stringify(path)}, () => console.log('up'));
      process.on('SIGTERM', () => process.exit());`], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void emperor.kill('SIGKILL'));
    await once(emperor.stdout, 'data');
    let done = false;
    const { ended } = start(['shutdown', '--control', path]);
    void ended.then(() => (done = true));
    await once(emperor.stdout, 'data');
    expect(done).toBe(false);
    emperor.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, stdout: `the emperor (pid ${emperor.pid}) is gone\n`, stderr: '' });
  });

  it('that takes too long exits 75', async () => {
    const { env } = await reigning();
    expect(await run(['shutdown', '--timeout', '100ms'], env)).toMatchObject({ code: 75, stdout: '' });
  });
});

describe('check', () => {
  /** A folder with these vassal files. */
  function folderOf(files: Readonly<Record<string, string>>): string {
    const folder = temporaryFolder();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return folder;
  }

  const GOOD = '[vassal]\ncommand = "/bin/sleep 1000"\n';

  it('of good files exits 0', async () => {
    expect(await run(['check', folderOf({ 'shop.toml': GOOD })])).toEqual({ code: 0, stdout: '1 file, no faults\n', stderr: '' });
  });

  it('of a file at fault exits 78 and tells where, what and how to mend it', async () => {
    const folder = folderOf({ 'shop.toml': `${GOOD}stop-timout = "30s"\n`, 'wiki.toml': GOOD });
    const { code, stdout } = await run(['check', folder]);
    expect(code).toBe(78);
    expect(stdout).toContain(`${folder}/shop.toml:3`);
    expect(stdout).toContain('stop-timeout');
    expect(stdout).toContain('2 files, 1 fault in 1\n');
    const { files } = JSON.parse((await run(['check', '--json', join(folder, 'shop.toml')])).stdout) as { files: { name: string; faults: object[] }[] };
    expect(files).toMatchObject([{ name: 'shop', faults: [{ code: 'E_KEY_UNKNOWN', line: 3, key: 'stop-timout' }] }]);
  });
});

it('what is no socket is no emperor: exit 7', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, '');
  expect(await run(['status', '--control', path])).toMatchObject({ code: 7, stdout: '' });
});
