import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VassalDocument } from '../../src/control/protocol.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSender } from '../../src/kernel/send-datagram.ts';
import { until } from '../until.ts';
import { Daemon, makePlace } from './daemon.ts';

const PROGRAM = new URL('../fixtures/programs/says-what-it-is-told.py', import.meta.url).pathname;
const sendBytes = openSender(openLibc());

/** A vassal that says what it is told to say. */
class Speaker implements Disposable {
  readonly daemon: Daemon;
  readonly name: string;
  readonly #orders: string;
  /** Held for as long as the test: what is told before anybody reads would be lost otherwise. */
  readonly #fd: number;

  constructor(daemon: Daemon, name: string) {
    this.daemon = daemon;
    this.name = name;
    this.#orders = join(daemon.place.folder, `${name}.orders`);
    execFileSync('mkfifo', ['-m', '666', this.#orders]);
    this.#fd = openSync(this.#orders, 'r+');
  }

  deploy(...more: readonly string[]): string {
    return this.daemon.write(`${this.name}.toml`, [
      '[vassal]', `command = ["/usr/bin/python3", ${JSON.stringify(PROGRAM)}, ${JSON.stringify(this.#orders)}]`, 'ready = { notify = true }', 'backoff = { first = "20ms", max = "50ms" }', ...more, '',
    ].join('\n'));
  }

  /** Tells it. What it says is heard some time after that. */
  tell(...lines: readonly string[]): void {
    writeSync(this.#fd, lines.map((line) => `${line}\n`).join(''));
  }

  /** Has it say something, and waits until that was heard: so was all before it. */
  async untilHeard(mark: string): Promise<VassalDocument> {
    this.tell(`STATUS=${mark}`);
    return until(async () => {
      const vassal = await this.daemon.vassal(this.name);
      expect(vassal?.instances.map((each) => each.status)).toContain(mark);
      return vassal!;
    });
  }

  async deployed(...more: readonly string[]): Promise<VassalDocument> {
    this.deploy(...more);
    await this.daemon.untilState(this.name, 'starting');
    this.tell('READY=1');
    return this.daemon.untilState(this.name, 'ready');
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

async function told(daemon: Daemon, name: string, event: string): Promise<readonly string[]> {
  return (await daemon.events(name)).filter((each) => each.event === event).map((each) => each.why);
}

describe('an instance that says how it is', () => {
  it('is ready when it says so, and once, however often it says so', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    shop.deploy();
    expect((await shop.untilHeard('loading')).state).toBe('starting');
    shop.tell('READY=1', 'READY=1', 'READY=1|STATUS=open|MAINPID=1');
    await daemon.untilState('shop', 'ready');
    expect(await shop.untilHeard('still open')).toMatchObject({ state: 'ready', restarts: 0, failure: null });
    expect(await told(daemon, 'shop', 'ready')).toEqual(['it says so']);
  });

  it.each(['grandchild', 'detached'])('may leave that to a child of a child (%s)', async (who) => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    shop.deploy();
    shop.tell(`${who}:READY=1`);
    await daemon.untilState('shop', 'ready');
  });

  it.runIf(process.getuid?.() === 0)('as another user is heard as well', async () => {
    const place = makePlace();
    chmodSync(place.folder, 0o755);
    await using daemon = await Daemon.start(place);
    using shop = new Speaker(daemon, 'shop');
    const { instances } = await shop.deployed('user = "nobody"', 'directory = "/"');
    expect(readFileSync(`/proc/${instances[0]!.pid}/status`, 'utf8')).toContain('Uid:\t65534\t65534');
  });

  it('shows its status to people and scripts, without what could control a terminal', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    await shop.deployed();
    shop.tell('STATUS=\u001B[31m7 of 9 \u202Erooms');
    await until(async () => expect((await daemon.vassal('shop'))?.instances[0]?.status).toBe('[31m7 of 9 rooms'));
    const { stdout } = await daemon.cli('status', '--json');
    expect((JSON.parse(stdout) as { vassals: VassalDocument[] }).vassals[0]?.instances[0]?.status).toBe('[31m7 of 9 rooms');
    expect((await daemon.cli('status', 'shop')).stdout).toContain('[31m7 of 9 rooms');
  });

  it('gets the time that it asks for, and no more', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    shop.deploy('start-timeout = "2s"');
    const began = await daemon.untilState('shop', 'starting');
    const [first] = began.instances;
    shop.tell('EXTEND_TIMEOUT_USEC=4000000');
    // Pings of 50 ms: a clock of its own, that ends after its start timeout.
    shop.tell('pings:50', 'STATUS=late');
    await until(async () => expect((await daemon.vassal('shop'))?.instances[0]).toMatchObject({ id: first!.id, status: 'late', state: 'starting' }));
    const failed = await daemon.until(({ vassals }) => vassals[0]?.failure !== null, 'its time is over');
    expect(failed.vassals[0]?.failure).toMatchObject({ code: 'E_NOT_READY' });
    const [at] = (await daemon.events('shop')).filter((each) => each.event === 'cursed' || each.event === 'backoff');
    expect(Date.parse(at!.at) - Date.parse(first!.startedAt)).toBeGreaterThanOrEqual(4_000);
  });

  it('that ends by itself after STOPPING=1 is started again, and its end is told as any', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    const before = await shop.deployed();
    shop.tell('STOPPING=1|STATUS=closing');
    expect((await shop.untilHeard('closed')).state).toBe('ready');
    shop.tell('exit:0');
    await daemon.until(({ vassals: [vassal] }) => vassal?.restarts === 1, 'it is started again');
    shop.tell('READY=1');
    expect((await daemon.untilReplaced('shop', before)).restarts).toBe(1);
    expect((await told(daemon, 'shop', 'exited'))[0]).toMatch(/exited with code 0/);
  });
});

describe('a watchdog', () => {
  it('leaves alone who is heard, and replaces who is not', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    const before = await shop.deployed('health = { watchdog = "2s" }');
    // More than two seconds of pings: without them it would be gone before it can say that.
    shop.tell('pings:60', 'STATUS=tired');
    await until(async () => expect((await daemon.vassal('shop'))?.instances[0]).toMatchObject({ id: before.instances[0]!.id, status: 'tired' }));
    expect(await told(daemon, 'shop', 'sick')).toEqual([]);
    const sick = await daemon.until(({ vassals: [vassal] }) => vassal?.failure?.code === 'E_SICK', 'its silence is noticed');
    expect(sick.vassals[0]?.failure?.message).toContain('its watchdog was not heard in time');
    shop.tell('READY=1');
    expect(await daemon.untilReplaced('shop', before)).toMatchObject({ failure: null, restarts: 1 });
  });

  it('can be triggered by the instance itself; nobody else can', async () => {
    await using daemon = await Daemon.start();
    using shop = new Speaker(daemon, 'shop');
    using blog = new Speaker(daemon, 'blog');
    const before = await shop.deployed();
    const other = await blog.deployed();
    expect(sendBytes(join(daemon.place.state, 'notify'), Buffer.from('WATCHDOG=trigger'))).toBeNull();
    shop.tell('WATCHDOG=trigger');
    await daemon.until(({ vassals }) => vassals.some(({ name, failure }) => name === 'shop' && failure?.code === 'E_SICK'), 'it says so itself');
    shop.tell('READY=1');
    await daemon.untilReplaced('shop', before);
    expect(await told(daemon, 'shop', 'sick')).toEqual([expect.stringContaining('WATCHDOG=trigger')]);
    expect((await blog.untilHeard('well')).instances[0]?.pid).toBe(other.instances[0]?.pid);
  });
});

it('a stranger is not listened to, nor what is no notification: it is counted, and told once', async () => {
  await using daemon = await Daemon.start();
  using shop = new Speaker(daemon, 'shop');
  shop.deploy();
  await daemon.untilState('shop', 'starting');
  const path = join(daemon.place.state, 'notify');
  for (let each = 0; each < 50; each += 1) {
    // The socket holds only so many that were not read yet: who waits for room is heard as well.
    while (sendBytes(path, Buffer.from('READY=1\nSTATUS=mine now')) !== null) await new Promise((resolve) => setImmediate(resolve));
  }
  // Another stranger: the count that it is told with holds all that came before.
  execFileSync('/usr/bin/python3', ['-c', 'import socket, sys\nsocket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", sys.argv[1])\ninput()', path], { input: '\n' });
  shop.tell('STATUS=' + 'x'.repeat(5_000), 'READY=0', 'READY', '=1', 'NONSENSE=1', 'EXTEND_TIMEOUT_USEC=-1', 'WATCHDOG=0');
  expect((await shop.untilHeard('alone')).state).toBe('starting');
  const ignored = (): readonly Record<string, unknown>[] => daemon.output.filter((line) => line.includes('was ignored')).map((line) => JSON.parse(line) as Record<string, unknown>);
  const us = await until(() => {
    const found = ignored().filter((each) => each['pid'] === process.pid);
    expect(found).toHaveLength(1);
    return found;
  });
  expect(us[0]).toMatchObject({ why: 'stranger', uid: process.getuid?.(), total: 1 });
  await until(() => expect(ignored().some((each) => each['why'] === 'stranger' && each['total'] === 51)).toBe(true));
  await until(() => expect(ignored().some((each) => each['why'] === 'malformed')).toBe(true));
});
