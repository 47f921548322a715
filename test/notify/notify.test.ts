import { execFile } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { InstanceEvent } from '../../src/core/event.ts';
import type { InstanceId } from '../../src/core/state.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSender } from '../../src/kernel/send-datagram.ts';
import { ownerOf } from '../../src/notify/kinship.ts';
import { openNotify, type Ignored } from '../../src/notify/notify.ts';
import { until } from '../until.ts';

const libc = openLibc();
const sendBytes = openSender(libc);
const SHOP = 'shop#1' as InstanceId;

interface Stage extends Disposable {
  readonly path: string;
  readonly heard: InstanceEvent[];
  readonly ignored: Ignored[];
  /** Waits while the socket is full. */
  send(text: string | Uint8Array): Promise<void>;
}

/** The test itself is the first process of an instance; or nobody is. */
function openStage(instance: InstanceId | null = SHOP, prepare: (path: string) => void = () => {}): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-notify-'));
  const path = join(folder, 'notify');
  prepare(path);
  const heard: InstanceEvent[] = [];
  const ignored: Ignored[] = [];
  const notify = openNotify({
    libc,
    path,
    sink: (event) => heard.push(event),
    ownerOf: (pid) => ownerOf(pid, (each) => (each === process.pid ? instance : null)),
    onIgnored: (each) => ignored.push(each),
  });
  return {
    path,
    heard,
    ignored,
    async send(text) {
      for (;;) {
        const errno = sendBytes(path, typeof text === 'string' ? Buffer.from(text) : text);
        if (errno === null) return;
        expect(errno).toBe('EAGAIN');
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    [Symbol.dispose]() {
      notify[Symbol.dispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('the notify socket', () => {
  it('tells what an instance says, as often as it says it', async () => {
    using stage = openStage();
    await stage.send('READY=1\nSTATUS=serving');
    await stage.send('READY=1');
    await until(() => expect(stage.heard).toMatchObject([
      { type: 'said', instance: SHOP, said: { ready: true, status: 'serving' } },
      { type: 'said', instance: SHOP, said: { ready: true, status: null } },
    ]));
  });

  it('does not listen to strangers, and tells once of each', async () => {
    using stage = openStage(null);
    await stage.send('READY=1');
    await stage.send('STOPPING=1');
    const program = "import os,socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.sendto(b'READY=1',sys.argv[1])\nprint(os.getpid())";
    const { stdout } = await promisify(execFile)('python3', ['-c', program, stage.path]);
    const uid = process.getuid?.();
    await until(() => expect(stage.ignored).toEqual([
      { pid: process.pid, uid, why: 'stranger', total: 1 },
      { pid: Number(stdout), uid, why: 'stranger', total: 3 },
    ]));
    expect(stage.heard).toEqual([]);
  });

  it('listens to a child of a child, and answers its barrier only after what it said before', async () => {
    using stage = openStage();
    // What systemd-notify does: READY=1, then BARRIER=1 with the writing end of a pipe, then waits until nobody has that any more.
    const program = `import os,select,socket,sys
s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)
s.connect(sys.argv[1])
s.send(b'READY=1')
r,w=os.pipe()
socket.send_fds(s,[b'BARRIER=1'],[w])
os.close(w)
p=select.poll()
p.register(r,select.POLLHUP)
p.poll()
print('answered')`;
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', 'python3 -c "$1" "$2"; :', 'sh', program, stage.path]);
    expect(stdout).toBe('answered\n');
    expect(stage.heard).toMatchObject([{ instance: SHOP, said: { ready: true } }]);
  });

  it('takes in a flood of 10,000 datagrams, each once', async () => {
    using stage = openStage();
    for (let count = 0; count < 10_000; count++) await stage.send(`STATUS=${count}`);
    await until(() => expect(stage.heard).toHaveLength(10_000));
    expect(stage.heard.every((event, index) => event.type === 'said' && event.said.status === String(index))).toBe(true);
  });

  it.each<[string, Uint8Array]>([
    ['too long', Buffer.concat([Buffer.from('READY=1\nX='), Buffer.alloc(64 * 1024, 'x')])],
    ['full of NULs', Buffer.from('READY=1\0\0READY=1')],
  ])('passes over a datagram that is %s, and says so', async (_, bytes) => {
    using stage = openStage();
    await stage.send(bytes);
    await stage.send('STATUS=and on');
    await until(() => expect(stage.heard).toMatchObject([{ said: { ready: false, status: 'and on' } }]));
    expect(stage.ignored).toMatchObject([{ why: 'malformed' }]);
  });

  it('says nothing of datagrams with nothing in them for us', async () => {
    using stage = openStage();
    for (const text of ['', 'X_SHOP=1', 'FDSTORE=1', Buffer.from([0xff, 0xfe, 0xc3])]) await stage.send(text);
    await stage.send('STATUS=end');
    await until(() => expect(stage.heard).toHaveLength(1));
    expect(stage.ignored).toEqual([]);
  });
});

it('takes the place of symlinks, and leaves alone what is at their ends', async () => {
  using stage = openStage(SHOP, (path) => {
    for (const link of [path, `${path}~`]) {
      writeFileSync(`${link}.precious`, 'precious');
      symlinkSync(`${link}.precious`, link);
    }
  });
  expect(lstatSync(stage.path).isSocket()).toBe(true);
  for (const link of [stage.path, `${stage.path}~`]) expect([readFileSync(`${link}.precious`, 'utf8'), lstatSync(`${link}.precious`).mode & 0o022]).toEqual(['precious', 0]);
  await stage.send('READY=1');
  await until(() => expect(stage.heard).toHaveLength(1));
});
