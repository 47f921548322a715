import { copyFileSync, existsSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { VassalDocument } from '../../src/control/protocol.ts';
import { until } from '../until.ts';
import type { Daemon } from './daemon.ts';
import { freePort, untilAnswer } from './http.ts';

/** Where the app is, and the stand-in for uWSGI. */
export const FIXTURES: string = new URL('../fixtures/uwsgi', import.meta.url).pathname;

/** An app under the real uWSGI, with gates that the test opens and closes. */
export class Shop {
  readonly daemon: Daemon;
  readonly port: number;
  file = '';

  private constructor(daemon: Daemon, port: number) {
    this.daemon = daemon;
    this.port = port;
  }

  static async open(daemon: Daemon): Promise<Shop> {
    copyFileSync(join(FIXTURES, 'app.py'), join(daemon.place.folder, 'app.py'));
    const shop = new Shop(daemon, await freePort());
    shop.version('one');
    return shop;
  }

  /** @param uwsgi further lines of its uwsgi section @param vassal lines of the vassal section beside it */
  deploy(uwsgi: readonly string[] = [], vassal: readonly string[] = []): void {
    const socket = vassal.some((line) => line.startsWith('listen')) ? 'protocol = http' : `http-socket = 127.0.0.1:${this.port}`;
    const beside = vassal.length === 0 ? [] : ['[vassal]', ...vassal];
    this.file = this.daemon.write('shop.ini', ['[uwsgi]', 'plugin = python3', socket, `chdir = ${this.daemon.place.folder}`, 'wsgi-file = app.py', ...uwsgi, ...beside, ''].join('\n'));
  }

  async deployed(uwsgi: readonly string[] = [], vassal: readonly string[] = []): Promise<VassalDocument> {
    this.deploy(uwsgi, vassal);
    return await this.daemon.untilState('shop', 'ready');
  }

  touch(): void {
    utimesSync(this.file, new Date(), new Date());
  }

  /** What it says, and the next load of it. */
  version(name: string): void {
    writeFileSync(join(this.daemon.place.folder, 'version'), name);
  }

  close(gate: string): void {
    rmSync(join(this.daemon.place.folder, `${gate}.reached`), { force: true });
    writeFileSync(join(this.daemon.place.folder, `${gate}.closed`), '');
  }

  open(gate: string): void {
    rmSync(join(this.daemon.place.folder, `${gate}.closed`));
  }

  /** Waits until the app is at that gate. */
  async reached(gate: string): Promise<void> {
    await until(() => expect(existsSync(join(this.daemon.place.folder, `${gate}.reached`))).toBe(true));
  }

  async answers(version: string): Promise<void> {
    await untilAnswer(this.port, (text) => text.startsWith(version));
  }

  /** Waits for a history entry; gives what all of that kind say. */
  async happened(event: string, count = 1): Promise<readonly string[]> {
    return await until(async () => {
      const found = (await this.daemon.events('shop')).filter((each) => each.event === event).map(({ why }) => why);
      expect(found.length).toBeGreaterThanOrEqual(count);
      return found;
    });
  }

  async count(event: string): Promise<number> {
    return (await this.daemon.events('shop')).filter((each) => each.event === event).length;
  }

  /** Its own instance, with its uWSGI master. */
  async master(): Promise<number> {
    return (await this.daemon.vassal('shop'))!.instances[0]!.pid!;
  }
}

