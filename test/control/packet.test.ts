import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printPacket, readPacket } from '../../src/control/packet.ts';

it('what was written is read again', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(fc.string(), fc.string()), { selector: ([name]) => name, maxLength: 20 }), (pairs) => {
    expect([...(readPacket(printPacket(new Map(pairs))) ?? [])]).toEqual(pairs);
  }));
});

it('is as uWSGI writes it', () => {
  expect(printPacket(new Map([['cmd', 'stop'], ['vassal', 'a']])).toString('latin1')).toBe('\0\x16\0\0\x03\0cmd\x04\0stop\x06\0vassal\x01\0a');
});

it('has any modifiers, and of a name that comes again the last value', () => {
  expect([...readPacket(Buffer.from('\x6e\x0c\0\x07\x01\0a\x01\0b\x01\0a\x01\0n', 'latin1'))!]).toEqual([['a', 'n']]);
});

it.each([
  ['nothing', ''],
  ['half a header', '\0\0'],
  ['a header that promises more', '\0\x09\0\0'],
  ['a header that promises less', '\0\0\0\0x'],
  ['a name without a value', '\0\x03\0\0\x01\0a'],
  ['a name that is longer than the packet', '\0\x04\0\0\xff\xffab'],
  ['a value that is longer than the packet', '\0\x06\0\0\x01\0a\xff\xffb'],
  ['half a length', '\0\x01\0\0\x01'],
])('%s is no packet', (_what, text) => {
  expect(readPacket(Buffer.from(text, 'latin1'))).toBeNull();
});

it('one that says nothing is one', () => {
  expect([...readPacket(Buffer.alloc(4))!]).toEqual([]);
});

it('leaves out what does not fit any more', () => {
  const printed = printPacket(new Map([['a', 'b'], ['long', 'x'.repeat(70_000)], ['c', 'd']]));
  expect([...readPacket(printed)!.keys()]).toEqual(['a']);
});
