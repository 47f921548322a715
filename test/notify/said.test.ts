import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Said } from '../../src/core/event.ts';
import { parseSaid } from '../../src/notify/said.ts';

const NOTHING: Said = { ready: false, reloading: false, stopping: false, status: null, watchdog: null, extendMs: null, mainPid: null };

describe('what an instance says', () => {
  it.each<[string, Partial<Said>]>([
    ['READY=1', { ready: true }],
    ['READY=1\n', { ready: true }],
    ['READY=1\0', { ready: true }],
    ['READY=1\nSTATUS=serving', { ready: true, status: 'serving' }],
    ['STATUS=a=b', { status: 'a=b' }],
    ['STATUS=', { status: '' }],
    ['STATUS=one\nSTATUS=two', { status: 'two' }],
    ['STATUS=\u001B[31mred\u0007\u202Etxt', { status: '[31mredtxt' }],
    [`STATUS=${'é'.repeat(300)}`, { status: 'é'.repeat(256) }],
    [`STATUS=${'😀'.repeat(300)}`, { status: '😀'.repeat(256) }],
    ['RELOADING=1\nMONOTONIC_USEC=123', { reloading: true }],
    ['STOPPING=1', { stopping: true }],
    ['WATCHDOG=1', { watchdog: 'ping' }],
    ['WATCHDOG=trigger', { watchdog: 'trigger' }],
    ['EXTEND_TIMEOUT_USEC=5000001', { extendMs: 5_001 }],
    ['MAINPID=4242', { mainPid: 4242 }],
  ])('%j means %j', (text, meaning) => {
    expect(parseSaid(Buffer.from(text))).toEqual({ ...NOTHING, ...meaning });
  });

  it.each([
    '', '\n\n', 'READY', 'READY=0', 'READY=yes', 'ready=1', ' READY=1', '=1', 'WATCHDOG=2', 'WATCHDOG_USEC=1', 'EXTEND_TIMEOUT_USEC=0', 'EXTEND_TIMEOUT_USEC=-1', 'EXTEND_TIMEOUT_USEC=1e3',
    'MAINPID=0', 'MAINPID=4194305', 'MAINPID=12x', 'BARRIER=1', 'FDSTORE=1', 'ERRNO=2', 'BUSERROR=x', 'EXIT_STATUS=1', 'X_SHOP=1', '__proto__=1', `${'X=1\n'.repeat(64)}READY=1`,
  ])('%j means nothing', (text) => {
    expect(parseSaid(Buffer.from(text))).toBe(null);
  });

  it('is malformed with a NUL before its end', () => {
    expect(parseSaid(Buffer.from('READY=1\0STATUS=x'))).toBe('malformed');
  });

  it('may be no valid UTF-8', () => {
    expect(parseSaid(Buffer.from([...Buffer.from('READY=1\nSTATUS=a'), 0xff, 0xc3]))).toMatchObject({ ready: true, status: expect.stringMatching(/^a/) });
  });

  it('never breaks the parser, and stays within its bounds, whatever the bytes', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(fc.constantFrom('READY', 'STATUS', 'WATCHDOG', 'EXTEND_TIMEOUT_USEC', 'MAINPID', 'RELOADING'), fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.integer().map(String))).map(([name, value]) => Buffer.from(`${name}=${value}`)),
    );
    fc.assert(fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const bytes = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\n')]));
      const said = parseSaid(bytes);
      if (bytes.subarray(0, -1).includes(0)) expect(said).toBe('malformed');
      if (said === null || said === 'malformed') return;
      expect(Object.keys(said).sort()).toEqual(Object.keys(NOTHING).sort());
      expect(said.status ?? '').not.toMatch(/\p{C}/u);
      expect(Array.from(said.status ?? '').length).toBeLessThanOrEqual(256);
      for (const number of [said.extendMs ?? 1, said.mainPid ?? 1]) expect(Number.isSafeInteger(number) && number > 0).toBe(true);
    }), { numRuns: 500 });
  });
});
