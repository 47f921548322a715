import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { journalFields, openLogger } from '../../src/world/logger.ts';

const LOGGER = new URL('../../src/world/logger.ts', import.meta.url).href;

/** A process that logs; `log` opens a logger. */
function logging(script: string): ChildProcess {
  const text = `import { openLogger } from ${JSON.stringify(LOGGER)};\nconst log = (level, readable) => openLogger({ level, readable });\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', text], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** All that a process prints, and how it ends. */
async function outputOf(child: ChildProcess): Promise<{ code: number | null; lines: string[]; stderr: string }> {
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, lines: stdout.split('\n').slice(0, -1), stderr };
}

describe('the log', () => {
  it('is one JSON object a line, with the fields of its room, and nothing of the emperor itself', async () => {
    const { lines } = await outputOf(logging(`
      const logger = (await log('info', false)).child({ room: 'runner' });
      logger.debug({}, 'not shown');
      logger.info({ vassal: 'shop', pid: 7 }, 'spawned');
      logger.error({ err: new Error('boo') }, 'failed');`));
    const [first, second, ...others] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toEqual({ level: 'info', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), room: 'runner', vassal: 'shop', pid: 7, msg: 'spawned' });
    expect(second).toMatchObject({ level: 'error', err: { message: 'boo', stack: expect.stringContaining('Error: boo') } });
    expect(others).toEqual([]);
  });

  it('for a terminal is a readable line that no field can break', async () => {
    const { lines } = await outputOf(logging(`(await log('trace', true)).trace({ vassal: 'a\\nb\\u001B[2J' }, 'spawned');`));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('spawned');
    expect(lines[0]).toContain('a\\nb\\e[2J');
  });

  it.each([['false', 'process.exit(3)'], ['true', 'process.exit(3)'], ['false', 'process.exitCode = 3'], ['true', 'process.exitCode = 3']])('readable: %s, loses nothing at %s', async (readable, end) => {
    const { code, lines } = await outputOf(logging(`
      const logger = await log('info', ${readable});
      for (let count = 1; count <= 500; count += 1) logger.info({ count }, 'line');
      ${end};`));
    expect([code, lines.length]).toEqual([3, 500]);
    expect(lines.at(-1)).toContain('500');
  });

  it('stops nobody when it is not read, keeps a little, and counts what it drops', async () => {
    const child = logging(`
      const logger = await log('info', false);
      const text = 'x'.repeat(1_000);
      for (let count = 1; count <= 5_000; count += 1) logger.info({ text }, 'line');
      process.stderr.write('alive');
      setInterval(() => {}, 1_000);
      process.on('SIGTERM', () => process.exit(0));`);
    await once(child.stderr!, 'data');
    let stdout = '';
    const lossTold = new Promise<void>((resolve) => {
      child.stdout!.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
        if (stdout.includes('log lines were lost') && stdout.endsWith('\n')) resolve();
      });
    });
    await lossTold;
    child.kill('SIGTERM');
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { msg: string; code?: string; lost?: number });
    const kept = lines.filter(({ msg }) => msg === 'line').length;
    const loss = lines.find(({ code }) => code === 'E_LOG');
    expect(kept).toBeGreaterThan(500);
    expect(kept + (loss?.lost ?? 0)).toBe(5_000);
  });

  it('costs nothing but the log when its reader goes away', async () => {
    const child = logging(`
      const logger = await log('info', false);
      const waiting = setInterval(() => {}, 1_000);
      process.on('SIGUSR2', () => {
        clearInterval(waiting);
        let rounds = 0;
        const timer = setInterval(() => {
          logger.info({ rounds }, 'line');
          if ((rounds += 1) < 20) return;
          clearInterval(timer);
          process.stderr.write('still there');
        }, 1);
      });
      logger.info({}, 'up');`);
    await once(child.stdout!, 'data');
    child.stdout!.destroy();
    child.kill('SIGUSR2');
    expect(await outputOf(child)).toMatchObject({ code: 0, stderr: 'still there' });
  });
});

describe('a hostile field', () => {
  const FIELDS = JSON.stringify({ why: 'a\u009B2J\u202E\u2028b\u007F\u{E0001}', reason: 'c\u0085d', nested: { text: ['e\u2029f\u001B[m'] } });
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  const HARMFUL = /[\u0000-\u0009\u000B-\u001A\u001C-\u001F\u007F-\u009F\u202E\u2028\u2029]|\u001B(?!\[\d+m)/;

  it('is escaped in JSON, and means the same', async () => {
    const { lines } = await outputOf(logging(`(await log('info', false)).info(${FIELDS}, 'told');`));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(HARMFUL);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject(JSON.parse(FIELDS) as object);
  });

  it('is escaped for a terminal, wherever it stands', async () => {
    const { lines } = await outputOf(logging(`(await log('info', true)).info({ ...${FIELDS}, err: new Error('boo\\u009B2J\\nnext\\u202E') }, 'told');`));
    expect(lines.join('')).not.toMatch(HARMFUL);
    expect(lines.join('')).toContain('\\x9b2J');
  });
});

describe('a line of the log in the journal', () => {
  it('is a sentence with a priority, and its fields under names that the journal takes', () => {
    const line = { level: 'warn', time: 'now', msg: 'exited', vassal: 'a\nb', instance: 'shop#1', pid: 7, lostEntries: 2, 'odd-name': true, _own: 'x', from: 'ready', to: 'backoff' };
    expect(journalFields(line)).toEqual([
      ['MESSAGE', 'shop#1 exited (ready → backoff)'], ['PRIORITY', '4'], ['SYSLOG_IDENTIFIER', 'emperor'],
      ['VASSAL', 'a\nb'], ['INSTANCE', 'shop#1'], ['PID', '7'], ['LOST_ENTRIES', '2'], ['ODD_NAME', 'true'], ['OWN', 'x'], ['FROM', 'ready'], ['TO', 'backoff'],
    ]);
  });

  it.each([['error', '3'], ['warn', '4'], ['info', '6'], ['debug', '7'], ['trace', '7']])('of level %s has priority %s', (level, priority) => {
    expect(new Map(journalFields({ level, msg: 'x' })).get('PRIORITY')).toBe(priority);
  });

  it('that cannot be written is counted, and told of when one can', async () => {
    const written: string[] = [];
    let there = false;
    const logger = await openLogger({ level: 'info', readable: false, journal: (fields) => (there ? (written.push(String(new Map(fields).get('LOST') ?? new Map(fields).get('MESSAGE'))), null) : 'ENOENT') });
    logger.info({}, 'one');
    logger.info({}, 'two');
    there = true;
    logger.info({}, 'three');
    expect(written).toEqual(['three', '2']);
  });
});
