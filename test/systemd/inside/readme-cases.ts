import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { answer } from '../../e2e/http.ts';
import { needs } from '../../e2e/needs.ts';
import { until } from '../../until.ts';
import { run, Service, succeed } from './host.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
const [ORIGIN, CHECKOUT] = ['/srv/origin', '/srv/emperor'] as const;
const UNITS = '/etc/systemd/system';
const SHOP = 8301;
const service = new Service();

/** The code blocks of a chapter of README, as lists of commands. */
function blocksOf(chapter: string): readonly (readonly string[])[] {
  const [, text = ''] = readFileSync(join(ROOT, 'README.md'), 'utf8').split(`\n## ${chapter}\n`);
  return [...(text.split('\n## ')[0] ?? '').matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block.trim().split('\n'));
}

/** Does what README says, as root in the checkout, with the programs of the host. */
async function sh(command: string): Promise<string> {
  const env = { HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', npm_config_offline: 'true' };
  const { exitCode, all } = await execa('sh', ['-c', command], { cwd: CHECKOUT, env, extendEnv: false, reject: false, all: true, timeout: 100_000 });
  // There is no network in here. What npm does not have at hand is what this very test runs with.
  if (command === 'npm ci' && exitCode !== 0 && all.includes('ENOTCACHED')) {
    rmSync(join(CHECKOUT, 'node_modules'), { recursive: true, force: true });
    symlinkSync(join(ROOT, 'node_modules'), join(CHECKOUT, 'node_modules'));
    return '';
  }
  if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}: ${all}`);
  return all;
}

/** A repository with what is in this checkout, and a clone of it. */
async function clone(): Promise<void> {
  const files = (await succeed('git', '-c', 'safe.directory=*', '-C', ROOT, 'ls-files', '--cached', '--others', '--exclude-standard', '-z')).split('\0').filter((file) => file !== '');
  for (const file of files) {
    mkdirSync(dirname(join(ORIGIN, file)), { recursive: true });
    cpSync(join(ROOT, file), join(ORIGIN, file));
  }
  await succeed('git', 'init', '--quiet', ORIGIN);
  await commit();
  await succeed('git', 'clone', '--quiet', ORIGIN, CHECKOUT);
}

async function commit(): Promise<void> {
  await succeed('git', '-C', ORIGIN, 'add', '--all');
  await succeed('git', '-C', ORIGIN, '-c', 'user.name=nobody', '-c', 'user.email=nobody@localhost', 'commit', '--quiet', '--message=another');
}

/** README, chapter *On a host*, word for word. */
export const README_CASES: Readonly<Record<string, () => Promise<void>>> = {
  'a host is led from a checkout to a vassal, a look, an upgrade and back by what README says': async () => {
    needs('git', 'git');
    if ((await service.show('LoadState')) !== 'not-found') await service.cli('systemd', 'uninstall');
    // What other cases have put there by hand.
    for (const left of readdirSync(UNITS)) if (left.startsWith('emperor')) rmSync(join(UNITS, left), { recursive: true });
    await succeed('systemctl', 'daemon-reload');
    for (const folder of ['/etc/emperor', '/var/lib/emperor', '/var/log/emperor']) rmSync(folder, { recursive: true, force: true });
    await clone();
    const [install, look, upgrade, uninstall, ...more] = blocksOf('On a host');
    expect([install, look, upgrade, uninstall, more]).toEqual([
      ['npm ci', 'npx emperor systemd install', 'cp shop.toml /etc/emperor/vassals/'],
      ['systemctl status emperor', 'npx emperor status', 'journalctl -u emperor', 'npx emperor logs shop'],
      ['git pull', 'npm ci', 'npx emperor upgrade'],
      ['npx emperor systemd uninstall'],
      [],
    ]);
    const server = join(ROOT, 'test/fixtures/programs/serves-fd3.mjs');
    writeFileSync(join(CHECKOUT, 'shop.toml'), `[vassal]\ncommand = ["/bin/sh", "-c", "echo opens; exec ${process.execPath} ${server}"]\nlisten = "127.0.0.1:${SHOP}"\nready = { http = "/" }\n`);
    for (const command of install!) await sh(command);
    await until(async () => expect(await answer(SHOP)).not.toBeNull());

    await until(async () => expect(await sh(look![0]!)).toMatch(/Active: active \(running\)[^]*Status: "1 vassal: 1 ready; 1 instance"/));
    const [status, journal, log] = [await sh(look![1]!), await sh(look![2]!), await sh(look![3]!)];
    expect(status).toMatch(/^shop +ready/m);
    expect(journal).toContain('reigns');
    expect(log).toMatch(/^opens$/m);

    const [emperor, shop] = [await service.show('MainPID'), /^shop +ready +(\d+)/m.exec(status)?.[1]];
    const manifest = join(ORIGIN, 'package.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(/"version": "[^"]*"/, '"version": "9.9.9"'));
    await commit();
    for (const command of upgrade!) await sh(command);
    const after = await sh('npx emperor status');
    expect(after).toContain(`emperor 9.9.9, pid ${emperor}`);
    expect(/^shop +ready +(\d+)/m.exec(after)?.[1]).toBe(shop);

    // What is said below the commands: other units, and the vassals stay.
    await sh('npx emperor shutdown --keep');
    await service.untilSuccessor(Number(emperor));
    expect(await sh('npx emperor status')).toMatch(new RegExp(`^shop +ready +${shop}`, 'm'));

    for (const command of uninstall!) expect(await sh(command)).toContain('removed /etc/systemd/system/emperor.service');
    expect(await answer(SHOP)).toBeNull();
    for (const left of ['/etc/emperor/vassals/shop.toml', '/var/lib/emperor/emperor.db', '/var/log/emperor/shop.log']) expect(await run('test', '-e', left)).toMatchObject({ code: 0 });
    expect(readdirSync(UNITS).filter((name) => name.startsWith('emperor'))).toEqual([]);
    rmSync(CHECKOUT, { recursive: true });
    rmSync(ORIGIN, { recursive: true });
    rmSync('/etc/emperor', { recursive: true });
  },
};
