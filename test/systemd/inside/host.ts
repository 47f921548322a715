import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { StatusDocument, VassalDocument } from '../../../src/control/protocol.ts';
import type { Ended } from '../../e2e/daemon.ts';
import { until } from '../../until.ts';

const ROOT = new URL('../../../', import.meta.url).pathname;
/** An installation as npm makes it: built, without sources. What is written here is gone with the systemd. */
const PROGRAM = '/opt/emperor';

/** A program of this host, with its outcome. */
export async function run(file: string, ...args: readonly string[]): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa(file, args, { reject: false, timeout: 60_000 });
  return { code: exitCode ?? null, stdout, stderr };
}

/** As {@link run}, of what has to succeed. @returns what it printed */
export async function succeed(file: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(file, ...args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}\n${stdout}\n${(await run('journalctl', '--no-pager', '-n', '60')).stdout}`);
  return stdout;
}

/** Puts the built program where the units find it. */
export function installProgram(): void {
  rmSync(PROGRAM, { recursive: true, force: true });
  mkdirSync(join(PROGRAM, 'src'), { recursive: true });
  for (const each of ['dist', 'systemd', 'package.json', 'src/emperor.mjs']) cpSync(join(ROOT, each), join(PROGRAM, each), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(PROGRAM, 'node_modules'));
}

/** The emperor as a service. */
export class Service {
  readonly unit: string;
  readonly folder: string;
  readonly #control: string;

  constructor(name: string | null = null) {
    this.unit = name === null ? 'emperor.service' : `emperor@${name}.service`;
    this.folder = join('/etc/emperor', name ?? '', 'vassals');
    this.#control = join('/run/emperor', name ?? '', 'control.sock');
  }

  cli(...args: readonly string[]): Promise<Ended> {
    return run('env', `EMPEROR_CONTROL=${this.#control}`, process.execPath, join(PROGRAM, 'src/emperor.mjs'), ...args);
  }

  async status(): Promise<StatusDocument> {
    const { stdout, stderr } = await this.cli('status', '--json');
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as StatusDocument;
  }

  async vassal(name: string): Promise<VassalDocument> {
    const found = (await this.status()).vassals.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** The pid of the first instance. */
  async pid(name: string): Promise<number> {
    const pid = (await this.vassal(name)).instances[0]?.pid;
    if (typeof pid !== 'number') throw new Error(`${name} does not run`);
    return pid;
  }

  async untilState(name: string, state: VassalDocument['state']): Promise<VassalDocument> {
    return await until(async () => {
      const found = await this.vassal(name);
      if (found.state !== state) throw new Error(`${name} is ${found.state}: ${JSON.stringify(found)}`);
      return found;
    });
  }

  async show(property: string): Promise<string> {
    return await succeed('systemctl', 'show', '--value', `--property=${property}`, this.unit);
  }

  systemctl(verb: string, ...args: readonly string[]): Promise<string> {
    return succeed('systemctl', verb, ...args, this.unit);
  }

  /** Waits until another process than `old` reigns. */
  async untilSuccessor(old: number): Promise<number> {
    return await until(async () => {
      const pid = Number(await this.show('MainPID'));
      if (pid === old || pid === 0 || (await this.show('SubState')) !== 'running') throw new Error(`no successor of ${old} yet`);
      return pid;
    });
  }

  write(name: string, ...lines: readonly string[]): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, `${name}.toml`), ['[vassal]', ...lines, ''].join('\n'));
  }

  remove(name: string): void {
    rmSync(join(this.folder, `${name}.toml`));
  }
}
