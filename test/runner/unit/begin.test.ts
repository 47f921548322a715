import { spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEpoll } from '../../../src/kernel/epoll.ts';
import { openLibc } from '../../../src/kernel/libc.ts';
import type { Refusal } from '../../../src/runner/refusal.ts';
import { openBegin } from '../../../src/runner/unit/begin.ts';
import type { Errand } from '../../../src/runner/unit/launcher.ts';
import type { SystemdPrograms } from '../../../src/runner/unit/systemd-programs.ts';
import { systemClock } from '../../../src/world/clock.ts';
import { instanceOf } from '../../fakes/instance.ts';
import { until } from '../../until.ts';

/** A service manager that starts processes and nothing else; with `refusal` not even that. */
function fakeSystemd(refusal: string | null): SystemdPrograms {
  const unused = (): never => {
    throw new Error('nobody asks for this');
  };
  return {
    start(_unit, _description, _properties, [input, output], [file = '', ...args]) {
      if (refusal !== null) return { refused: Promise.resolve(refusal), leave: () => Promise.resolve() };
      // As systemd reads a command line.
      const child = spawn(file, args.map((each) => each.replaceAll('$$', '$')), { stdio: [input, output, 'ignore'], env: { PATH: '/usr/bin:/bin', NOTIFY_SOCKET: '/theirs', STATE_DIRECTORY: '/var/lib/x' }, detached: true });
      onTestFinished(() => void child.kill('SIGKILL'));
      return { refused: new Promise(() => {}), leave: () => Promise.resolve() };
    },
    show: unused, showNow: unused, kill: unused, discard: unused,
    lastWords: () => Promise.resolve('Starting x\nx.service: Failed at step EXEC'),
  };
}

interface Begun {
  readonly refusal: Refusal | null;
  /** What was told before that. */
  readonly told: readonly string[];
  /** What it prints, when it has printed a last line `end`. */
  readonly text: () => Promise<string>;
}

async function begin(errand: Partial<Errand>, descriptors: readonly number[] = [], refusal: string | null = null, there: Refusal | null = null): Promise<Begun> {
  const told: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'emperor-unit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const output = openSync(join(folder, 'output'), constants.O_CREAT | constants.O_RDWR | constants.O_APPEND, 0o600);
  const libc = openLibc();
  const epoll = openEpoll(libc);
  onTestFinished(() => epoll[Symbol.dispose]());
  const beginUnit = openBegin({ libc, clock: systemClock(), epoll, systemd: fakeSystemd(refusal) });
  const begun = beginUnit({
    vassalName: 'shop', instance: instanceOf(1), unit: `emperor-shop-${process.pid}.service`, properties: [], output, descriptors, perl: '/usr/bin/perl', givenUp: new AbortController().signal,
    errand: { file: '/bin/sh', argv: ['sh'], environment: {}, tellsPid: false, ...errand },
  }, { there: () => Promise.resolve(there), executed: () => void told.push('executed') });
  closeSync(output);
  return {
    refusal: await begun,
    told,
    text: () => until(() => {
      const text = readFileSync(join(folder, 'output'), 'utf8');
      if (!text.endsWith('end\n')) throw new Error(`not all of it: ${text}`);
      return text.slice(0, -'end\n'.length);
    }),
  };
}

const shell = (script: string): Partial<Errand> => ({ argv: ['my shell', '-c', `${script}\necho end`, 'zero', '', '$HOME', 'a  b\n'] });

describe('the launcher of a unit', () => {
  it('executes the program with its words and variables, beside those of systemd', async () => {
    const { refusal, text } = await begin({ ...shell('echo "[$#:$1:$2:$3]"; echo "$GREETING|$STATE_DIRECTORY|$NOTIFY_SOCKET"; tr "\\0\\n" "  " < /proc/$$/cmdline | cut -c 1-11'), environment: { GREETING: 'a=b $x\ny' } });
    expect(refusal).toBeNull();
    expect(await text()).toBe('[3::$HOME:a  b\n]\na=b $x\ny|/var/lib/x|\nmy shell -c\n');
  });

  it('gives it the descriptors from 3 on, in their order, and no others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const files = ['one', 'two', 'three'].map((name) => {
      writeFileSync(join(folder, name), `${name}\n`);
      return openSync(join(folder, name), 'r');
    });
    const begun = begin({ ...shell('cat <&3; cat <&4; cat <&5; for each in 6 7 8 9; do [ -e /proc/$$/fd/$each ] && echo "has $each"; done; test "$LISTEN_PID" = $$ && echo mine; readlink /proc/$$/fd/0'), tellsPid: true }, files);
    const { text } = await begun;
    for (const fd of files) closeSync(fd);
    expect(await text()).toBe('one\ntwo\nthree\nmine\n/dev/null\n');
  });

  it('leaves no signal ignored', async () => {
    const { text } = await begin(shell('grep SigIgn /proc/self/status'));
    expect(await text()).toBe('SigIgn:\t0000000000000000\n');
  });

  it('takes more than an argument of a process could hold', async () => {
    const environment = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`V${index}`, 'x'.repeat(100_000)]));
    const { text } = await begin({ ...shell('echo ${#V0} ${#V9}'), environment });
    expect(await text()).toBe('100000 100000\n');
  });

  it.each([
    ['is not there', '/nowhere/to/be/found', 'E_PROGRAM_MISSING'],
    ['may not be executed', '/etc/passwd', 'E_PROGRAM_DENIED'],
  ])('tells that a program %s', async (_what, file, code) => {
    expect((await begin({ file, argv: [file] })).refusal).toMatchObject({ code, lasting: true, reason: expect.stringContaining(`cannot start ${file} for vassal "shop"`) });
  });

  it('tells when it executes it, and only then', async () => {
    expect((await begin(shell(':'))).told).toEqual(['executed']);
    expect((await begin({ file: '/nowhere' })).told).toEqual([]);
  });

  it('goes no further than to be there, if that is refused', async () => {
    const refusal: Refusal = { code: 'E_UNIT', reason: 'no', lasting: false };
    expect(await begin(shell('echo executed'), [], null, refusal)).toMatchObject({ refusal, told: [] });
  });

  it('is given no word with a NUL in it', async () => {
    expect((await begin({ environment: { A: 'x\0B=y' } })).refusal).toMatchObject({ code: 'E_SPAWN' });
  });
});

describe('a unit that systemd does not start', () => {
  it.each([
    ['Unknown assignment: Foo=bar', true, 'Unknown assignment: Foo=bar'],
    ['Failed to connect to bus: No such file or directory', false, 'Failed to connect to bus'],
    ['Job for x.service failed because the control process exited with error code.', true, 'x.service: Failed at step EXEC'],
    ['', true, 'x.service: Failed at step EXEC'],
  ])('%j is told in its words, and tried again only if that can be of use', async (said, lasting, reason) => {
    expect((await begin({}, [], said)).refusal).toMatchObject({ code: 'E_UNIT', lasting, reason: expect.stringContaining(reason) });
  });
});
