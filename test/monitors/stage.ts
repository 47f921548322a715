import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Look, SeenFile } from '../../src/core/listing.ts';
import { openLeases } from '../../src/kernel/lease.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openChokidarHints } from '../../src/monitors/chokidar-hints.ts';
import type { MonitorTools } from '../../src/monitors/file-monitor.ts';
import type { Monitor } from '../../src/monitors/monitor.ts';
import { openMonitor } from '../../src/monitors/registry.ts';
import { HandClock } from '../fakes/clock.ts';

const run = promisify(execFile);

/** A folder that is removed at the end of the test. */
export interface TempFolder extends Disposable {
  readonly path: string;
  /** Writes `name` (folders in it are made) and sets its times back, as `cp -p` does: it is complete. */
  file(name: string, text?: string): string;
}

export function tempFolder(): TempFolder {
  const path = mkdtempSync(join(tmpdir(), 'monitor-'));
  return {
    path,
    file(name, text = name) {
      const file = join(path, name);
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, text);
      utimesSync(file, 1_000_000_000, 1_000_000_000);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A monitor of real files with a clock that stands still: what has to be quiet for a while waits until time is let go on. */
export class Stage implements AsyncDisposable {
  readonly looks: Look[] = [];
  readonly troubles: string[] = [];
  readonly clock: HandClock;
  readonly monitor: Monitor;
  private readonly tools: MonitorTools;

  private constructor(source: string, clock: HandClock, rescanMs: number, tools: Partial<MonitorTools>) {
    this.clock = clock;
    const hints = tools.hints ?? openChokidarHints(clock, (message) => this.troubles.push(message));
    this.tools = { clock, hints, leases: openLeases(openLibc()), trust: null, rescanMs, onTrouble: (message) => void this.troubles.push(message), ...tools };
    this.monitor = openMonitor(source, '/', this.tools);
  }

  /** Starts a monitor. `rescanMs` 0, the default: it has only hints to go by. */
  static async of(source: string, { clock = new HandClock(), rescanMs = 0, ...tools }: Partial<MonitorTools> & { clock?: HandClock } = {}): Promise<Stage> {
    const stage = new Stage(source, clock, rescanMs, tools);
    const started = stage.monitor.start((look) => stage.looks.push(look));
    await stage.during(started);
    return stage;
  }

  /** The files of the last listing. */
  get files(): readonly SeenFile[] {
    const last = this.looks.findLast((look) => look.kind === 'listing');
    return last?.kind === 'listing' ? last.files : [];
  }

  get names(): readonly string[] {
    return this.files.map(({ name }) => name);
  }

  /** The text, or the code of the fault, of a file by its name. */
  text(name: string): string | undefined {
    const content = this.files.find((file) => file.name === name)?.content;
    return content === undefined ? undefined : content.ok ? content.text : content.fault.code;
  }

  /** Runs a shell script while the monitor looks on, and lets it take in all hints. Time stands still. */
  async shell(script: string, cwd = '/'): Promise<void> {
    await run('bash', ['-euc', script], { cwd });
    await turns();
  }

  /** Lets time go on in small steps until a promise is fulfilled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const watched = promise.finally(() => {
      over = true;
    });
    await this.until(() => over);
    return watched;
  }

  /** Lets time go on in small steps until something is so. */
  async until(condition: () => boolean): Promise<void> {
    for (let step = 0; step < 200_000; step += 1) {
      if (condition()) return;
      await turns();
      this.clock.advance(1);
    }
    throw new Error(`it never came; the last look: ${JSON.stringify(this.looks.at(-1))}`);
  }

  /** Lets much more time go on than anything may wait for, and looks at everything: after this there is nothing more to tell. */
  async settle(): Promise<void> {
    for (let step = 0; step < 60; step += 1) {
      await turns();
      this.clock.advance(10);
    }
    await this.during(this.monitor.rescan());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.monitor[Symbol.asyncDispose]();
    await this.tools.hints[Symbol.asyncDispose]();
  }
}

/** Some turns of the event loop: all hints of what happened until now have been taken in. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}
