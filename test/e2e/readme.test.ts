import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { needs } from './needs.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The lines of the code blocks of one chapter. */
function commandsOf(chapter: string): readonly string[] {
  const [, text = ''] = README.split(`\n## ${chapter}\n`);
  const [until = ''] = text.split('\n## ');
  return [...until.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
}

/** A checkout as a newcomer has it, after `npm ci`, and an environment that keeps it apart from the host. */
function checkout(): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-'));
  const copy = join(folder, 'checkout');
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter((file) => file !== '');
  for (const file of files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const env = { ...process.env, EMPEROR_STATE: join(folder, 'state'), EMPEROR_LOGS: join(folder, 'logs'), EMPEROR_CONTROL: join(folder, 'control'), EMPEROR_CONFIG: '' };
  return { folder: copy, env };
}

/** Does as README says: `npm start`, and commands beside it when the three examples are ready. */
async function reign(start: string, work: (sh: (command: string) => Promise<string>) => Promise<void>): Promise<void> {
  const { folder, env } = checkout();
  const sh = async (command: string): Promise<string> => new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { cwd: folder, env }, (error, stdout, stderr) => (error === null ? resolve(stdout) : reject(new Error(`${command}: ${error.message}\n${stdout}${stderr}`))));
  });
  const [program = '', ...words] = start.split(' ');
  const npm = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(npm, 'exit');
  try {
    const output: string[] = [];
    await Promise.race([
      exited.then(() => { throw new Error(output.join('\n')); }),
      new Promise<void>((resolve) => {
        for (const stream of [npm.stdout, npm.stderr]) {
          createInterface({ input: stream }).on('line', (line) => {
            output.push(line);
            if (output.filter((each) => /"to":"ready"/.test(each)).length === 3) resolve();
          });
        }
      }),
    ]);
    await work(sh);
    await sh('npx emperor shutdown');
    await exited;
    expect(npm.exitCode).toBe(0);
  } finally {
    if (npm.exitCode === null) {
      await sh('npx emperor shutdown').catch(() => npm.kill('SIGKILL'));
      await exited;
    }
    rmSync(dirname(folder), { recursive: true, force: true });
  }
}

it('leads a newcomer from `npm start` to an answer, a touch and a log', async () => {
  needs('curl', 'curl');
  const [start, status, curl, touch, logs, all] = commandsOf('Try it');
  expect([start, status, curl, touch, logs, all]).toEqual([
    'npm ci && npm start', 'npx emperor status', 'curl http://127.0.0.1:18701/', 'touch vassals/hello.yaml', 'npx emperor logs hello', 'sh test/all.sh',
  ]);
  await reign('npm start', async (sh) => {
    expect(await sh(status!)).toMatch(/hello +ready[^]*python +ready[^]*tick +ready/);
    expect(await sh(curl!)).toContain('hello from vassal hello');
    await sh(touch!);
    await sh('npx emperor restart hello');
    expect(await sh(logs!)).toContain('listening on http://127.0.0.1:18701/');
  });
}, 90_000);

it('shows a deploy under load that loses nothing, one that fails while the page is still there, and the way back', async () => {
  needs('curl', 'curl');
  const [certify, spoil, touch, curl, why, ...more] = commandsOf('Deploys that cannot take a site down');
  expect([certify, touch, curl, why, more]).toEqual(['npx emperor certify hello', 'touch vassals/hello.yaml', 'curl http://127.0.0.1:18701/', 'npx emperor why hello', []]);
  await reign('npm start', async (sh) => {
    expect(await sh(certify!)).toMatch(/hello: \d+ requests answered, 0 lost;/);
    await sh(spoil!);
    await sh(touch!);
    await expect(sh('npx emperor reload hello')).rejects.toThrow('E_EXITED');
    expect(await sh(curl!)).toContain('hello from vassal hello');
    const said = await sh(why!);
    expect(said).toContain('thow new Error("no")');
    expect(said).toContain('Mend what failed, then "emperor reload hello"');
    await sh("sed -i '$d' vassals/apps/hello.mjs && sed -i 's/hello from vassal/good evening from/' vassals/hello.yaml");
    await sh('npx emperor reload hello');
    expect(await sh(curl!)).toContain('good evening');
    expect(await sh('npx emperor diff hello 1 2')).toContain('+    GREETING: …hidden, changed');
    expect(await sh('npx emperor rollback hello')).toBe('hello: rolled back\n');
    expect(await sh(curl!)).toContain('hello from vassal hello');
  });
}, 180_000);

it('shows what `emperor check` says', async () => {
  const [, example = '', expected = ''] = /```\n\$ emperor check (\S+)\n(.*?)\n```/s.exec(README) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'emperor-'));
  try {
    writeFileSync(join(folder, example), ['# shop.toml', '[vassal]', 'command = "/bin/sleep 100"', '', '', '', 'stop-timout = "5s"', ''].join('\n'));
    const said = await new Promise<string>((resolve) => {
      execFile(process.execPath, [join(ROOT, 'dist/main.js'), 'check', example], { cwd: folder }, (_, stdout) => resolve(stdout));
    });
    expect(said.replaceAll(`${folder}/`, '')).toBe(`${expected}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('names every verb, flag and signal that there is', () => {
  const help = execFileSync(process.execPath, [join(ROOT, 'dist/main.js'), '--help'], { encoding: 'utf8' });
  const verbs = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb).filter((verb) => verb !== 'help');
  expect(verbs.length).toBeGreaterThan(8);
  for (const verb of verbs) expect(README, verb).toMatch(new RegExp(`emperor [^\`]*\\b${verb}\\b`));
  const flags = [...execFileSync(process.execPath, [join(ROOT, 'dist/main.js'), 'run', '--help'], { encoding: 'utf8' }).matchAll(/--[a-z-]+/g)].map(([flag]) => flag);
  for (const flag of flags) if (flag !== '--help') expect(README).toContain(flag);
});
