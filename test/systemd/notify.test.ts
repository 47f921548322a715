import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openLibc } from '../../src/kernel/libc.ts';
import { openSpeech } from '../../src/systemd/notify.ts';
import { openFdStore } from '../../src/systemd/fd-store.ts';
import { HandClock } from '../fakes/clock.ts';
import { FakeManager } from './manager.ts';

const libc = openLibc();

function speak(socket: string | undefined): { readonly clock: HandClock; readonly troubles: string[]; readonly speech: ReturnType<typeof openSpeech> } {
  const clock = new HandClock();
  const troubles: string[] = [];
  return { clock, troubles, speech: openSpeech({ libc, clock, socket, onTrouble: (message) => troubles.push(message) }) };
}

describe('what is said to the service manager', () => {
  it('comes as it is said, line by line', async () => {
    await using manager = await FakeManager.start();
    const { speech } = speak(manager.socket);
    speech.say(['READY=1', 'STATUS=2 vassals']);
    expect(await manager.hear()).toEqual({ lines: ['READY=1', 'STATUS=2 vassals'], enclosed: [] });
  });

  it('takes descriptors along, under a name, and has them dropped by it', async () => {
    await using manager = await FakeManager.start();
    const { speech } = speak(manager.socket);
    const store = openFdStore(speech);
    const fd = openSync('/dev/zero', 'r');
    store.keep('log-7', fd);
    closeSync(fd);
    store.drop('log-7');
    expect(await manager.hear()).toEqual({ lines: ['FDSTORE=1', 'FDNAME=log-7', 'FDPOLL=0'], enclosed: ['/dev/zero'] });
    expect(await manager.hear()).toEqual({ lines: ['FDSTOREREMOVE=1', 'FDNAME=log-7'], enclosed: [] });
  });

  it('waits in order while it does not listen, with descriptors that are closed meanwhile', async () => {
    await using manager = await FakeManager.start();
    const { clock, speech } = speak(manager.socket);
    const open = readdirSync('/proc/self/fd').length;
    // More than the kernel keeps for who does not listen, net.unix.max_dgram_qlen.
    const total = 1_000;
    const fd = openSync('/dev/zero', 'r');
    for (let count = 0; count < total; count += 1) speech.say([`X=${count}`], fd);
    closeSync(fd);
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(open);
    for (let count = 0; count < total; count += 1) {
      clock.advance(10);
      expect(await manager.hear()).toEqual({ lines: [`X=${count}`], enclosed: ['/dev/zero'] });
    }
    expect(clock.waiting).toBe(0);
    expect(readdirSync('/proc/self/fd')).toHaveLength(open);
  }, 60_000);

  it('is forgotten at the end, with its descriptors', async () => {
    await using manager = await FakeManager.start();
    const { clock, speech } = speak(manager.socket);
    const open = readdirSync('/proc/self/fd').map((each) => target(each));
    const fd = openSync('/dev/zero', 'r');
    for (let count = 0; count < 1_000; count += 1) speech.say([`X=${count}`], fd);
    closeSync(fd);
    speech[Symbol.dispose]();
    expect(clock.waiting).toBe(0);
    expect(readdirSync('/proc/self/fd').map((each) => target(each)).filter((each) => each === '/dev/zero')).toEqual(open.filter((each) => each === '/dev/zero'));
  });

  it('goes nowhere without a manager', () => {
    const { clock, troubles, speech } = speak(undefined);
    speech.say(['READY=1'], 0);
    speech[Symbol.dispose]();
    expect([clock.waiting, troubles, fstatSync(0).ino > 0]).toEqual([0, [], true]);
  });

  it('is told of once where nobody can be spoken to, and harms nothing', () => {
    const { clock, troubles, speech } = speak('/nowhere/notify');
    speech.say(['READY=1']);
    speech.say(['WATCHDOG=1']);
    expect([clock.waiting, troubles]).toEqual([0, ['the service manager cannot be spoken to at /nowhere/notify: ENOENT']]);
  });
});

function target(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // That of the listing itself.
    return '';
  }
}
