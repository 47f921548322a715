import { createServer } from 'node:net';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { printPacket, readPacket } from '../../src/control/packet.ts';
import { openCommandSocket } from '../../src/emperor/controls.ts';
import { openReceiver, socketAddress, type Receiver } from '../../src/kernel/datagram.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSender } from '../../src/kernel/send-datagram.ts';
import { me, portsOf } from '../control/host.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';
import { until } from '../until.ts';

const libc = openLibc();
const send = openSender(libc);
const users = { user: () => null };

/** A command socket with a fake emperor behind it, and somebody who asks. */
class Desk implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'emperor-commands-'));
  readonly path: string = join(this.folder, 'commands');
  readonly emperor: FakeEmperor = new FakeEmperor();
  readonly logged: string[] = [];
  readonly answers: Record<string, string>[] = [];
  readonly #socket: Disposable;
  readonly #asker: Receiver;

  constructor() {
    this.emperor.list(declare('shop'));
    this.emperor.rise('shop');
    const log = (fields: object, message: string): number => this.logged.push(`${message} ${JSON.stringify(fields)}`);
    const logger = { info: log, warn: log, error: log, debug: log, trace: log } as never;
    this.#socket = openCommandSocket(libc, { path: this.path, gid: null, users }, portsOf(this.emperor, { logger }));
    this.#asker = openReceiver({
      libc, path: join(this.folder, 'asker'), mode: 0o600, mostBytes: 65_536,
      onDatagram: ({ bytes }) => this.answers.push(Object.fromEntries(readPacket(bytes)!)),
    });
    // It was bound under this name, and then renamed.
    symlinkSync('asker', join(this.folder, 'asker~'));
  }

  send(bytes: Uint8Array): string | null {
    return this.#asker.answer(socketAddress(this.path)!, bytes);
  }

  /** Sends again while there is no room: a queue of datagrams holds ten only. */
  async sends(bytes: Uint8Array): Promise<void> {
    while (this.send(bytes) === 'EAGAIN') await new Promise((resolve) => setImmediate(resolve));
  }

  ask(packet: Readonly<Record<string, string>>): void {
    expect(this.send(printPacket(new Map(Object.entries(packet))))).toBeNull();
  }

  async hears(...answers: readonly Record<string, string>[]): Promise<void> {
    await until(() => expect(this.answers).toEqual(answers));
  }

  close(): void {
    this.#socket[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
    this.#asker[Symbol.dispose]();
    rmSync(this.folder, { recursive: true });
  }
}

it.each([
  [{ cmd: 'stop', vassal: 'shop' }, 'stop'],
  [{ command: 'stop', vassal: 'shop' }, 'stop'],
  [{ cmd: 'stop', vassal: 'shop.toml' }, 'stop'],
  [{ cmd: 'stop', vassal: '/v/shop.toml' }, 'stop'],
])('%j stops it, and is answered when it has ended', async (packet, verb) => {
  using desk = new Desk();
  desk.ask(packet);
  await until(() => expect(desk.emperor.posted).toMatchObject([{ type: 'order', verb, vassal: '/v/shop.toml', actor: me() }]));
  await until(() => expect(desk.emperor.vassal('shop')?.state.phase).toBe('stopping'));
  expect(desk.answers).toEqual([]);
  desk.emperor.exit('shop');
  await desk.hears({ status: 'ok', vassal: packet.vassal });
});

it('spawn starts what is stopped, and respawn reloads', async () => {
  using desk = new Desk();
  desk.ask({ cmd: 'spawn', vassal: 'shop' });
  await desk.hears({ status: 'ok', vassal: 'shop' });
  desk.ask({ cmd: 'respawn', vassal: 'shop' });
  await until(() => expect(desk.emperor.posted.map((event) => ('verb' in event ? event.verb : ''))).toEqual(['start', 'reload']));
});

it('log goes to the log, with who said it, and in one harmless line', async () => {
  using desk = new Desk();
  desk.ask({ cmd: 'log', msg: 'hello\n\x1b[2Jthere', vassal: 'shop' });
  await desk.hears({ status: 'ok', vassal: 'shop' });
  expect(desk.logged).toEqual([`was told on the command socket ${JSON.stringify({ vassal: 'shop', actor: me(), message: 'hello\\n\\e[2Jthere' })}`]);
});

it.each([
  [{ cmd: 'stop', vassal: 'ghost' }, { status: 'error', vassal: 'ghost', message: 'E_NO_VASSAL: there is no vassal "ghost"' }],
  [{ cmd: 'stop' }, { status: 'error', message: '"stop" needs "vassal"' }],
  [{ cmd: 'destroy', vassal: 'shop' }, { status: 'error', vassal: 'shop', message: 'unknown command "destroy"; there are spawn, respawn, stop, log' }],
  [{ vassal: 'shop' }, { status: 'error', vassal: 'shop', message: 'there is no "cmd" in it' }],
  [{ cmd: '__proto__', vassal: '__proto__' }, { status: 'error', vassal: '__proto__', message: 'unknown command "__proto__"; there are spawn, respawn, stop, log' }],
])('%j is answered by what is wrong', async (packet, wrong) => {
  using desk = new Desk();
  desk.ask(packet);
  await desk.hears(wrong);
  expect(desk.emperor.posted).toEqual([]);
  expect(desk.logged).toHaveLength(1);
});

it('what comes byte by byte, too long or not at all is no packet, is told of once, and holds up nobody', async () => {
  using desk = new Desk();
  const packet = printPacket(new Map([['cmd', 'log'], ['msg', 'x']]));
  for (const byte of packet) await desk.sends(Uint8Array.of(byte));
  await desk.sends(printPacket(new Map([['cmd', 'log'], ['msg', 'x'.repeat(5_000)]])));
  await desk.sends(new Uint8Array());
  await desk.sends(packet);
  await until(() => expect(desk.answers).toHaveLength(packet.length + 3));
  expect(new Set(desk.answers.map(({ message }) => message))).toEqual(new Set(['this is no packet of uWSGI', 'the packet is too long', undefined]));
  expect(desk.logged).toHaveLength(3);
});

it('who has no address is obeyed, and not answered', async () => {
  using desk = new Desk();
  expect(send(desk.path, printPacket(new Map([['cmd', 'stop'], ['vassal', 'shop']])))).toBeNull();
  await until(() => expect(desk.emperor.posted).toHaveLength(1));
});

it('who asks for much at once, and waits for it, is told to come again', async () => {
  using desk = new Desk();
  desk.emperor.asleep = true;
  for (let sent = 0; sent < 70; sent += 1) await desk.sends(printPacket(new Map([['cmd', 'stop'], ['vassal', 'shop']])));
  await until(() => expect(desk.answers.filter(({ message }) => message?.includes('too many') === true)).toHaveLength(6));
  expect(desk.emperor.posted).toHaveLength(64);
});

it('is for who may use the control socket, replaces a dead one, and goes at the end', () => {
  using desk = new Desk();
  expect(statSync(desk.path).mode & 0o777).toBe(0o660);
  desk.close();
  expect(existsSync(desk.path)).toBe(false);
});

it('takes no path from anybody', async () => {
  using desk = new Desk();
  const open = (path: string): Disposable => openCommandSocket(libc, { path, gid: null, users }, portsOf(desk.emperor));
  expect(() => open(desk.path)).toThrow('somebody listens');
  const file = join(desk.folder, 'file');
  writeFileSync(file, 'x');
  expect(() => open(file)).toThrow('there is something else');
  expect(() => open(join(desk.folder, 'x'.repeat(120)))).toThrow('at most 106 bytes');
  const stream = createServer().listen(join(desk.folder, 'stream'));
  await once(stream, 'listening');
  expect(() => open(join(desk.folder, 'stream'))).toThrow('somebody listens');
  stream.close();
});

it('replaces a socket that nobody listens on', () => {
  using desk = new Desk();
  const dead = join(desk.folder, 'dead');
  // Left behind by one that was killed: bound, and closed without being removed.
  const left = openReceiver({ libc, path: dead, mode: 0o600, mostBytes: 1, onDatagram: () => {} });
  left.handOver((fd) => fd);
  left[Symbol.dispose]();
  expect(send(dead, new Uint8Array())).toBe('ECONNREFUSED');
  using _ = openCommandSocket(libc, { path: dead, gid: null, users }, portsOf(desk.emperor));
  expect(send(dead, new Uint8Array())).toBeNull();
});
