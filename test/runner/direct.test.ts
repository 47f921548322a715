import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Instance } from '../../src/core/state.ts';
import { findMarked } from '../../src/runner/strays.ts';
import { runnerContract } from '../contracts/runner.ts';
import { instanceOf } from '../fakes/instance.ts';
import { expectNobodyLeft, isThere, openHousehold, program, stateOf, type Household } from './household.ts';
import { until } from '../until.ts';

runnerContract('the direct runner', () => {
  const household = openHousehold();
  return {
    runner: household.runner,
    events: household.events,
    successor: () => household.open(),
    lives: isThere,
    [Symbol.asyncDispose]: () => household[Symbol.asyncDispose](),
  };
});

/** What an instance says, as soon as it matches. */
async function said(household: Household, instance: Instance, pattern: RegExp): Promise<RegExpExecArray> {
  return await until(
    () => {
      const match = pattern.exec(household.output.textOf(instance.id));
      if (match === null) throw new Error(`${instance.id} said only ${household.output.textOf(instance.id)}`);
      return match;
    });
}

describe('a direct runner', () => {
  const self = userInfo();
  const asRoot = self.uid === 0;

  it('starts a program in a session of its own, with a clean environment and no blocked or ignored signal', async () => {
    await using household = openHousehold({ PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', NOTIFY_SOCKET: '/run/notify', LISTEN_FDS: '3', UWSGI_X: 'y' });
    const spec = { ...program('tells-about-itself', 'a b', 'ü'), directory: household.state, environment: { GREETING: 'hello=you' } };
    const instance = instanceOf(4, spec);
    const proof = await household.launch(instance);
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'exited', code: 0 } });
    const told = JSON.parse(household.output.textOf(instance.id));
    expect(told).toMatchObject({ pid: proof.pid, group: proof.pid, session: proof.pid, argv: ['a b', 'ü'], directory: household.state, stdin: '/dev/null' });
    expect(told.environment).toEqual({
      PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', HOME: self.homedir, USER: self.username, LOGNAME: self.username, SHELL: self.shell, GREETING: 'hello=you',
      EMPEROR_VASSAL: 'shop', EMPEROR_INSTANCE: 'shop#4', EMPEROR_STATE: household.state,
    });
    expect(told.status).toMatch(/^SigBlk:\t0{16}$/m);
  });

  it('lets a program that is killed by SIGPIPE be killed by it', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'kill -PIPE $$; exit 5'] });
    await household.launch(instance);
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'killed', signal: 'SIGPIPE' } });
  });

  it('keeps of all its own descriptors only the output from a program', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'readlink /proc/$$/fd/1 /proc/$$/fd/2 && ls /proc/$$/fd && exit 0'] });
    await household.launch(instance);
    await household.exit(instance.id);
    const [out, err, ...fds] = household.output.textOf(instance.id).trim().split('\n');
    expect([out, err]).toEqual([join(household.state, '1'), join(household.state, '1')]);
    // Whatever started this test may have left descriptors open in it; those below are ours.
    expect(fds.map(Number).filter((fd) => fd < 200)).toEqual([0, 1, 2]);
  });

  it('searches the PATH of the instance, not its own', async () => {
    await using household = openHousehold({ PATH: '/usr/bin:/bin' });
    mkdirSync(join(household.state, 'bin'));
    writeFileSync(join(household.state, 'bin', 'greet'), '#!/bin/sh\necho found $0\n', { mode: 0o755 });
    const instance = instanceOf(1, { argv: ['greet'], directory: household.state, environment: { PATH: 'bin:/bin' } });
    await household.launch(instance);
    await household.exit(instance.id);
    expect(household.output.textOf(instance.id)).toBe(`found ${household.state}/bin/greet\n`);
  });

  it.runIf(asRoot)('runs a program as another user, with its groups, home and a umask', async () => {
    await using household = openHousehold();
    chmodSync(household.state, 0o755);
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'id -un; id -gn; umask; echo $HOME $USER $$'], user: 'games', umask: 0o27 });
    const proof = await household.launch(instance);
    await household.exit(instance.id);
    expect(household.output.textOf(instance.id)).toBe(`games\ngames\n0027\n/usr/games games ${proof.pid}\n`);
  });

  it.runIf(asRoot)('runs a program in another group only', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'id -un; id -gn'], group: 'games' });
    await household.launch(instance);
    await household.exit(instance.id);
    expect(household.output.textOf(instance.id)).toBe('root\ngames\n');
  });

  it('kills what is left of the group when the main process has ended', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, program('forks-a-child'));
    await household.launch(instance);
    const child = Number((await said(household, instance, /child (\d+)/))[1]);
    expect(stateOf(child)).toBe('S');
    household.runner.signal(instance.id, 'SIGTERM', 'main');
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'exited', code: 0 } });
    await expectNobodyLeft(household.state);
    expect(household.output.finishedOnes).toEqual([instance.id]);
  });

  it('ends what ignores SIGTERM with a SIGKILL to its group', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, program('ignores-sigterm'));
    await household.launch(instance);
    await said(household, instance, /ready/);
    household.runner.signal(instance.id, 'SIGTERM', 'group');
    await said(household, instance, /no/);
    household.runner.signal(instance.id, 'SIGKILL', 'group');
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'killed', signal: 'SIGKILL' } });
  });

  it('tells the end of an instance at once, though a daemon of it holds the output open; and leaves none behind', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, program('leaves-a-daemon'));
    await household.launch(instance);
    await household.exit(instance.id);
    await said(household, instance, /daemon (\d+)/);
    await expectNobodyLeft(household.state);
  });

  it('gives the exit code', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, program('dies-at-once', '42'));
    await household.launch(instance);
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'exited', code: 42 } });
    expect(household.output.textOf(instance.id)).toBe('cannot go on\n');
  });

  it('adopts a process that is nobody\'s child any more, and tells its end as unknown', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1);
    const [node, ...args] = program('leaves-a-daemon').argv;
    const parent = spawn(node, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { EMPEROR_STATE: household.state, EMPEROR_INSTANCE: instance.id } });
    const [words] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(/daemon (\d+)/.exec(words.toString())?.[1]);
    const orphan = findMarked(household.state).find((marked) => marked.process.pid === pid);
    expect(household.runner.adopt('shop', { ...instance, process: orphan?.process ?? null })).toBe(true);
    household.runner.signal(instance.id, 'SIGTERM', 'main');
    expect(await household.exit(instance.id)).toMatchObject({ status: { kind: 'unknown' } });
    expect(stateOf(pid)).not.toBe('S');
  });

  it.each([
    ['a program that does not exist', { argv: ['/nope'] }, 'E_PROGRAM_MISSING', 'cannot start /nope for vassal "shop": the program /nope does not exist'],
    ['a program that is not in PATH', { argv: ['nope'] }, 'E_PROGRAM_MISSING', 'cannot start nope for vassal "shop": the program "nope" is not in PATH'],
    ['a program that is not executable', { argv: ['/etc/passwd'] }, 'E_PROGRAM_DENIED', 'cannot start /etc/passwd for vassal "shop": /etc/passwd is not executable'],
    ['a folder', { argv: ['/etc'] }, 'E_PROGRAM_DENIED', 'cannot start /etc for vassal "shop": /etc is a directory'],
    ['a script without its interpreter', { argv: ['./orphaned'] }, 'E_PROGRAM_MISSING', /cannot start \S+\/orphaned for vassal "shop": ENOENT: .* asks for "\/no\/python" in its first line, which does not exist/],
    ['a folder that does not exist', { argv: ['/bin/true'], directory: '/nope' }, 'E_DIRECTORY', 'cannot start /bin/true for vassal "shop": the directory /nope does not exist'],
    ['a user that does not exist', { argv: ['/bin/true'], user: 'nobody-at-all' }, 'E_USER', 'cannot start /bin/true for vassal "shop": the user "nobody-at-all" does not exist'],
    ['a group that does not exist', { argv: ['/bin/true'], group: '4000000000' }, 'E_USER', 'cannot start /bin/true for vassal "shop": the group "4000000000" does not exist'],
    ['an environment file that does not exist', { argv: ['/bin/true'], environmentFile: '/nope' }, 'E_ENVIRONMENT_FILE', 'cannot start /bin/true for vassal "shop": the environment file /nope cannot be read: ENOENT'],
    ['an argument with a NUL byte', { argv: ['/bin/true', 'a\0b'] }, 'E_SPAWN', 'cannot start /bin/true for vassal "shop": EINVAL'],
    ['an argument that is too long', { argv: ['/bin/true', 'x'.repeat(3_000_000)] }, 'E_SPAWN', 'cannot start /bin/true for vassal "shop": E2BIG'],
  ] as const)('refuses %s', async (_what, spec, code, reason) => {
    await using household = openHousehold();
    writeFileSync(join(household.state, 'orphaned'), '#!/no/python\n', { mode: 0o755 });
    household.runner.launch('shop', instanceOf(1, { directory: household.state, ...spec, argv: [...spec.argv] as unknown as [string, ...string[]] }), []);
    const expected = typeof reason === 'string' ? reason : expect.stringMatching(reason);
    await until(() => expect(household.events).toEqual([{ type: 'unlaunchable', instance: 'shop#1', code, reason: expected, lasting: true }]));
  });

  it('calls it passing if the kernel refuses a program with which nothing is wrong that could be waited for: it may be half written', async () => {
    await using household = openHousehold();
    writeFileSync(join(household.state, 'bare'), 'echo hello\n', { mode: 0o755 });
    household.runner.launch('shop', instanceOf(1, { directory: household.state, argv: ['./bare'] }), []);
    await until(() => expect(household.events).toMatchObject([{ type: 'unlaunchable', code: 'E_PROGRAM_DENIED', lasting: false, reason: expect.stringMatching(/ENOEXEC$/) }]));
  });

  it('follows the process that an instance names as its first one: signals go to it, and its end is the end', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', 'trap "exit 0" USR1; sleep 1000 & echo $!; wait'] });
    const proof = await household.launch(instance);
    const main = await until(() => {
      const pid = Number(household.output.textOf(instance.id));
      if (!(pid > 0)) throw new Error('not told yet');
      return pid;
    });
    household.runner.follow(instance.id, main);
    expect(household.events.map(({ type }) => type)).toEqual(['spawned']);
    process.kill(proof.pid, 'SIGUSR1');
    await until(() => expect(() => process.kill(proof.pid, 0)).toThrow('ESRCH'));
    await until(() => expect(household.events).toMatchObject([{ type: 'spawned' }, { type: 'followed', process: { pid: main } }]));
    household.runner.signal(instance.id, 'SIGTERM', 'main');
    expect((await household.exit(instance.id)).status).toEqual({ kind: 'unknown' });
  });

  it.each([
    { what: 'the one that was started has ended', first: 'exit 0' },
    { what: 'the one that was started still waits', first: 'wait' },
  ])('takes over an instance by the process that it had named: $what', async ({ first }) => {
    await using household = openHousehold();
    const instance = instanceOf(1, { argv: ['/bin/sh', '-c', `sleep 1000 & echo $!; trap "${first}" USR1; wait; wait`] });
    const { pid } = await household.launch(instance);
    const main = await until(() => {
      const told = Number(household.output.textOf(instance.id));
      if (!(told > 0)) throw new Error('not told yet');
      return told;
    });
    household.runner.follow(instance.id, main);
    const named = await until(() => {
      const followed = household.events.find(({ type }) => type === 'followed');
      if (followed?.type !== 'followed') throw new Error('not followed yet');
      return followed.process;
    });
    process.kill(pid, 'SIGUSR1');
    if (first === 'exit 0') await until(() => expect(household.events.length > 1 && stateOf(pid)).toBeNull());
    await household.runner[Symbol.asyncDispose]();
    const next = household.open();
    expect(next.runner.adopt('shop', { ...instance, process: named })).toBe(true);
    expect(next.runner.instanceOf(pid)).toBe(instance.id);
    next.runner.signal(instance.id, 'SIGTERM', 'main');
    await until(() => expect(next.events).toMatchObject([{ type: 'exited' }]));
    await expectNobodyLeft(household.state);
  });

  it('does not follow a process of somebody else', async () => {
    await using household = openHousehold();
    const instance = instanceOf(1);
    await household.launch(instance);
    household.runner.follow(instance.id, process.pid);
    household.runner.signal(instance.id, 'SIGTERM', 'main');
    expect((await household.exit(instance.id)).status).toEqual({ kind: 'killed', signal: 'SIGTERM' });
  });

  it('starts nothing any more when it was disposed', async () => {
    await using household = openHousehold();
    await household.runner[Symbol.asyncDispose]();
    household.runner.launch('shop', instanceOf(1), []);
    const next = household.open();
    next.runner.launch('shop', instanceOf(2), []);
    await until(() => expect(next.events).toMatchObject([{ type: 'spawned' }]));
    expect(household.events).toEqual([]);
  });

  it('goes on with the next when one cannot be started', async () => {
    await using household = openHousehold();
    household.runner.launch('shop', instanceOf(1, { argv: ['/nope'] }), []);
    await household.launch(instanceOf(2));
    expect(household.events.map((event) => event.type)).toEqual(['unlaunchable', 'spawned']);
  });

  it('tells of what was being started when it is disposed, and forgets what was not', async () => {
    await using household = openHousehold();
    for (let serial = 1; serial <= 30; serial++) household.runner.launch('shop', instanceOf(serial), []);
    await until(() => expect(household.events.length).toBeGreaterThan(0));
    await household.runner[Symbol.asyncDispose]();
    const told = household.events.map((event) => String(event.instance));
    expect(new Set(findMarked(household.state).map((marked) => marked.instance))).toEqual(new Set(told));
  });
});
