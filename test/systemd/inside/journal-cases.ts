import { expect } from 'vitest';
import { openJournal } from '../../../src/kernel/journal.ts';
import { openLibc } from '../../../src/kernel/libc.ts';
import { until } from '../../until.ts';
import { reigning, service } from './reign.ts';
import { succeed } from './host.ts';

/** An entry of the journal: texts, or bytes where it is none. */
type Entry = Readonly<Record<string, string | readonly number[]>>;

async function entries(...matches: readonly string[]): Promise<readonly Entry[]> {
  const text = await succeed('journalctl', '--no-pager', '--all', '--output=json', ...matches);
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Entry);
}

/** The journal: what the emperor itself says there, and what instances do. */
export const JOURNAL_CASES: Readonly<Record<string, () => Promise<void>>> = {
  'lines of the emperor itself are entries with fields and priorities': async () => {
    await reigning();
    service.write('quits', 'command = ["/bin/false"]', 'restart = "never"');
    await until(async () => expect(await entries('VASSAL=quits', 'MESSAGE=quits#1 exited', '+', 'VASSAL=quits', 'PRIORITY=6')).not.toEqual([]));
    const [launch] = await entries('VASSAL=quits', 'SYSLOG_IDENTIFIER=emperor', 'TO=starting');
    expect(launch).toMatchObject({ INSTANCE: expect.stringMatching(/^quits#\d+$/), MESSAGE: expect.stringMatching(/^quits#\d+ /), PRIORITY: '6', _SYSTEMD_UNIT: service.unit });
    service.write('faulty', 'comand = "x"');
    await until(async () => expect(await entries('VASSAL=faulty', 'PRIORITY=3')).not.toEqual([]));
    service.remove('quits');
    service.remove('faulty');
  },

  'the output of a vassal goes to the journal if its file says so, however long its lines are': async () => {
    await reigning();
    const script = `echo '<3>it hurts'; echo plain; printf '\\377\\n'; head -c 600000 /dev/zero | tr '\\0' x | fold -w 20000; echo; echo last; exec sleep 1000`;
    service.write('talks', `command = ["/bin/sh", "-c", ${JSON.stringify(script)}]`, 'ready = { log = "^last$" }', 'log = { to = "journal" }');
    await service.untilState('talks', 'ready');
    await until(async () => expect((await entries('SYSLOG_IDENTIFIER=talks')).at(-1)).toMatchObject({ MESSAGE: 'last' }));
    const all = await entries('SYSLOG_IDENTIFIER=talks', 'VASSAL=talks');
    expect(all.slice(0, 2)).toEqual([expect.objectContaining({ MESSAGE: 'it hurts', PRIORITY: '3', INSTANCE: expect.stringMatching(/^talks#/) }), expect.objectContaining({ MESSAGE: 'plain', PRIORITY: '6' })]);
    expect(all[2]?.['MESSAGE']).toEqual([255]);
    expect(all.slice(3).reduce((sum, { MESSAGE }) => sum + (MESSAGE?.length ?? 0), 0)).toBe(600_000 + 'last'.length);
    expect((await service.cli('logs', 'talks')).stdout).toBe('the output of talks is in the journal: journalctl VASSAL=talks');
    service.remove('talks');
  },

  'a journal that is not there costs the output, which is counted and told of': async () => {
    await reigning();
    service.write('talks', 'command = ["/bin/sh", "-c", "while [ ! -e /run/again ]; do [ ! -e /run/speak ] || echo lost | tee -a /run/spoken; sleep 0.05; done; echo heard; exec sleep 1000"]', 'ready = { after = "1ms" }', 'log = { to = "journal" }');
    await service.untilState('talks', 'ready');
    await succeed('mv', '/run/systemd/journal/socket', '/run/systemd/journal/aside');
    await succeed('touch', '/run/speak');
    await until(async () => expect((await succeed('cat', '/run/spoken')).split('\n').length).toBeGreaterThan(10));
    await succeed('mv', '/run/systemd/journal/aside', '/run/systemd/journal/socket');
    await succeed('touch', '/run/again');
    await until(async () => expect(await entries('SYSLOG_IDENTIFIER=talks', 'MESSAGE=heard')).toHaveLength(1));
    // What the emperor had to say of it meanwhile was not heard, either.
    await until(async () => {
      const told = await entries('SYSLOG_IDENTIFIER=emperor', 'CODE=E_LOG');
      expect(told).toEqual(expect.arrayContaining([expect.objectContaining({ VASSAL: 'talks', LINES: expect.stringMatching(/^[1-9]/) }), expect.objectContaining({ LOST: expect.stringMatching(/^[1-9]/) })]));
    });
    service.remove('talks');
  },

  'an entry that no datagram holds is one all the same': async () => {
    const line = 'x'.repeat(500_000);
    expect(openJournal(openLibc())([['MESSAGE', line], ['SYSLOG_IDENTIFIER', 'long']])).toBeNull();
    await until(async () => expect(await entries('SYSLOG_IDENTIFIER=long')).toEqual([expect.objectContaining({ MESSAGE: line })]));
  },
};
