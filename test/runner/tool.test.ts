import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { VassalSpec } from '../../src/core/spec.ts';
import { openLibc } from '../../src/kernel/libc.ts';
import { openTool, type ToolEnding } from '../../src/runner/tool.ts';
import { instanceOf } from '../fakes/instance.ts';
import { program, stateOf } from './household.ts';
import { until } from '../until.ts';

const tool = openTool({ libc: openLibc(), environment: process.env, state: '/nowhere/state', notifySocket: '/nowhere/notify', files: null });
const asRoot = process.getuid?.() === 0;

async function run(argv: readonly [string, ...string[]], spec: Partial<VassalSpec> = {}, signal: AbortSignal = new AbortController().signal): Promise<ToolEnding> {
  return await tool('shop', instanceOf(7, spec), argv, signal);
}

const sh = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

/** No such process, or only what is left of it until its parent asks. */
const expectGone = (pid: number): Promise<void> => until(() => expect([null, 'Z']).toContain(stateOf(pid)));

describe('a tool', () => {
  it.each<[string, ToolEnding]>([
    ['echo fine', { code: 0, signal: null, output: 'fine\n' }],
    ['echo out; echo err >&2; exit 3', { code: 3, signal: null, output: 'out\nerr\n' }],
    ['kill -TERM $$', { code: null, signal: 'SIGTERM', output: '' }],
  ])('%j ends as it ends', async (script, ending) => {
    expect(await run(sh(script))).toEqual(ending);
  });

  it('runs as the instance does, but can be taken for none, and gets no sockets and no NOTIFY_SOCKET', async () => {
    const { output } = await run(program('tells-about-itself', 'a b').argv, {
      directory: '/usr', environment: { GREETING: 'hello=you' }, umask: 0o027, ready: { kind: 'notify' },
      listen: [{ address: { kind: 'tcp', host: '127.0.0.1', port: 80, v6only: false }, backlog: 1, mode: null, user: null, group: null }],
    });
    const told = JSON.parse(output);
    expect(told).toMatchObject({ argv: ['a b'], directory: '/usr', umask: 0o027, environment: { GREETING: 'hello=you', EMPEROR_VASSAL: 'shop', EMPEROR_INSTANCE: 'shop#7' } });
    expect(told.group).toBe(told.pid);
    expect(Object.keys(told.environment).filter((name) => /EMPEROR_STATE|NOTIFY|LISTEN|WATCHDOG/.test(name))).toEqual([]);
  });

  it.runIf(asRoot)('runs as another user', async () => {
    expect(await run(sh('id -un; id -gn'), { user: 'nobody' })).toMatchObject({ output: 'nobody\nnogroup\n' });
  });

  it('may print without end: the last 4 KiB are kept', async () => {
    const { output } = await run(program('prints-a-lot', '100000', '100').argv);
    expect(output).toHaveLength(4_096);
    expect(output.endsWith('100000'.padEnd(99, '.') + '\n')).toBe(true);
  });

  it('is asked to end by TERM, where somebody may ask, and gets further variables', async () => {
    const asking = new AbortController();
    const folder = mkdtempSync(join(tmpdir(), 'emperor-tool-'));
    const { signal } = new AbortController();
    const ending = tool('shop', { id: '', runs: instanceOf(7, { environment: { A: 'file' } }).runs }, sh(`trap 'echo asked $A $B; exit 5' TERM; touch ${folder}/ready; while :; do sleep 0.01; done`), signal, { terminate: asking.signal, environment: { A: 'tool', B: 'more' } });
    await until(() => expect(existsSync(join(folder, 'ready'))).toBe(true));
    asking.abort();
    expect(await ending).toEqual({ code: 5, signal: null, output: expect.stringMatching(/^asked tool more$/m) });
    rmSync(folder, { recursive: true });
  });

  it('is killed with all of its group when it is aborted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-tool-'));
    const control = new AbortController();
    const ending = run(sh(`sleep 1000 & echo $! > ${folder}/pids; echo $$ >> ${folder}/pids; trap "" TERM; wait; wait; sleep 1000`), {}, control.signal);
    const pids = await until(() => {
      const lines = readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n').map(Number);
      expect(lines).toHaveLength(2);
      return lines;
    });
    control.abort();
    expect(await ending).toMatchObject({ code: null, signal: 'SIGKILL' });
    for (const pid of pids) await expectGone(pid);
    rmSync(folder, { recursive: true });
  });

  it('takes along whom it leaves in its group', async () => {
    const { output, code } = await run(sh('sleep 1000 & echo $!'));
    expect(code).toBe(0);
    await expectGone(Number(output));
  });

  it('has ended even if a daemon that it has left behind holds its output', async () => {
    const { output, code } = await run(program('leaves-a-daemon').argv);
    expect(code).toBe(0);
    const pid = Number(/daemon (\d+)/.exec(output)?.[1]);
    expect(stateOf(pid)).not.toBe(null);
    process.kill(pid, 'SIGKILL');
  });

  it('is not even started when it was aborted before', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'emperor-tool-'));
    expect(await run(sh(`touch ${folder}/started`), {}, AbortSignal.abort())).toMatchObject({ signal: 'SIGKILL' });
    expect(existsSync(join(folder, 'started'))).toBe(false);
    rmSync(folder, { recursive: true });
  });

  it.each<[readonly [string, ...string[]], Partial<VassalSpec>, string]>([
    [['/no/such'], {}, 'E_PROGRAM_MISSING'],
    [['/etc/passwd'], {}, 'E_PROGRAM_DENIED'],
    [['/bin/true'], { directory: '/no/such' }, 'E_DIRECTORY'],
    [['/bin/true'], { user: 'no-such-user' }, 'E_USER'],
    [['/bin/true', 'x'.repeat(2 ** 21)], {}, 'E_SPAWN'],
  ])('that cannot be started says why (%#)', async (argv, spec, code) => {
    await expect(run(argv, spec)).rejects.toMatchObject({ code });
  });
});
