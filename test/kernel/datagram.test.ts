import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openReceiver, type Datagram } from '../../src/kernel/datagram.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSender } from '../../src/kernel/send-datagram.ts';
import { until } from '../until.ts';

const libc = openLibc();
const send = openSender(libc);

interface Mailbox extends Disposable {
  readonly path: string;
  readonly got: Datagram[];
  close(): void;
}

function openMailbox(mode = 0o666, mostBytes = 4_096): Mailbox {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-datagram-'));
  const path = join(folder, 'notify');
  const got: Datagram[] = [];
  const receiver = openReceiver({ libc, path, mode, mostBytes, onDatagram: (datagram) => got.push(datagram) });
  return {
    path,
    got,
    close: () => receiver[Symbol.dispose](),
    [Symbol.dispose]() {
      receiver[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Sends as another process; the array is what socket.send_fds() of Python takes. */
async function sendFromPython(path: string, text: string, descriptors: readonly number[] = []): Promise<number> {
  const program = 'import socket,sys,os\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.connect(sys.argv[1])\nsocket.send_fds(s,[sys.argv[2].encode()],eval(sys.argv[3]))\nprint(os.getpid())';
  const { stdout } = await promisify(execFile)('python3', ['-c', program, path, text, JSON.stringify(descriptors)]);
  return Number(stdout);
}

describe('a datagram socket', () => {
  it('tells what was sent and who it was', async () => {
    using mailbox = openMailbox();
    expect(send(mailbox.path, Buffer.from('READY=1'))).toBe(null);
    await until(() => expect(mailbox.got).toHaveLength(1));
    expect(mailbox.got[0]).toMatchObject({ cut: false, sender: { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() } });
    expect(mailbox.got[0]?.bytes.toString()).toBe('READY=1');
  });

  it('tells who it was of one that has ended meanwhile', async () => {
    using mailbox = openMailbox();
    const pid = await sendFromPython(mailbox.path, 'from a child');
    await until(() => expect(mailbox.got[0]?.sender?.pid).toBe(pid));
  });

  it.each([0o666, 0o600])('has the permissions %o, and nothing lies beside it', (mode) => {
    using mailbox = openMailbox(mode);
    expect(statSync(mailbox.path).mode & 0o777).toBe(mode);
    expect(readdirSync(join(mailbox.path, '..'))).toEqual(['notify']);
  });

  it('cuts what is too long, and goes on', async () => {
    using mailbox = openMailbox();
    send(mailbox.path, Buffer.alloc(64 * 1024, 'x'));
    send(mailbox.path, Buffer.from('short'));
    send(mailbox.path, Buffer.alloc(0));
    await until(() => expect(mailbox.got.map(({ bytes, cut }) => [bytes.length, cut])).toEqual([[4_096, true], [5, false], [0, false]]));
  });

  it('closes descriptors that come along', async () => {
    using mailbox = openMailbox();
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 5; count++) await sendFromPython(mailbox.path, 'BARRIER=1', [0, 1, 2]);
    await until(() => expect(mailbox.got).toHaveLength(5));
    await until(() => expect(readdirSync('/proc/self/fd').length).toBe(before));
    expect(mailbox.got.every(({ sender }) => sender !== null)).toBe(true);
  });

  it('takes in a flood in order, and lets others have their turn meanwhile', async () => {
    using mailbox = openMailbox();
    let turns = 0;
    for (let sent = 0; sent < 10_000; ) {
      const errno = send(mailbox.path, Buffer.from(String(sent)));
      if (errno === null) sent += 1;
      else {
        expect(errno).toBe('EAGAIN');
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await until(() => expect(mailbox.got).toHaveLength(10_000));
    expect(mailbox.got.every(({ bytes }, index) => bytes.toString() === String(index))).toBe(true);
    expect(turns).toBeGreaterThan(0);
  });

  it('takes the place of one that was left by somebody who was killed', async () => {
    using mailbox = openMailbox();
    mailbox.close();
    writeFileSync(mailbox.path, 'left');
    const got: Datagram[] = [];
    using _receiver = openReceiver({ libc, path: mailbox.path, mode: 0o666, mostBytes: 100, onDatagram: (datagram) => got.push(datagram) });
    send(mailbox.path, Buffer.from('hello'));
    await until(() => expect(got).toHaveLength(1));
  });

  it('is gone when it is disposed, unless it belongs to a successor', () => {
    using mailbox = openMailbox();
    const successor = openReceiver({ libc, path: mailbox.path, mode: 0o666, mostBytes: 100, onDatagram: () => {} });
    mailbox.close();
    expect(existsSync(mailbox.path)).toBe(true);
    successor[Symbol.dispose]();
    expect(existsSync(mailbox.path)).toBe(false);
    expect(send(mailbox.path, Buffer.from('x'))).toBe('ENOENT');
  });

  it('can be bound by path only up to the length that the kernel takes', () => {
    const path = `/tmp/${'x'.repeat(120)}`;
    expect(() => openReceiver({ libc, path, mode: 0o666, mostBytes: 100, onDatagram: () => {} })).toThrow(/at most 106 bytes/);
    expect(send(path, Buffer.from('x'))).toBe('ENAMETOOLONG');
    expect(() => openReceiver({ libc, path: '/nowhere/notify', mode: 0o666, mostBytes: 100, onDatagram: () => {} })).toThrow('bind /nowhere/notify: ENOENT');
  });

  it('can be sent to by an abstract name', async () => {
    const name = `emperor-test-${process.pid}`;
    const program = "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind('\\0'+sys.argv[1])\nprint('bound',flush=True)\nprint(s.recv(100).decode())";
    const child = spawn('python3', ['-c', program, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    await until(() => expect(said).toBe('bound\n'));
    expect(send(`@${name}`, Buffer.from('READY=1'))).toBe(null);
    await once(child, 'close');
    expect(said).toBe('bound\nREADY=1\n');
  });
});
