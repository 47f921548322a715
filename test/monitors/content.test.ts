import { describe, expect, it } from 'vitest';
import type { VassalId } from '../../src/core/listing.ts';
import { contentOf } from '../../src/monitors/content.ts';

const id = '/v/shop.toml' as VassalId;

describe('the content of a vassal file', () => {
  it.each([
    ['text', Buffer.from('a\nb'), 'a\nb'],
    ['text after a byte order mark', Buffer.from('\uFEFFa'), 'a'],
    ['more than ASCII', Buffer.from('grüße 日本 🚀'), 'grüße 日本 🚀'],
    ['a replacement character that is meant', Buffer.from('\uFFFD'), '\uFFFD'],
    ['nothing', Buffer.alloc(0), ''],
  ])('is %s', (_, bytes, text) => {
    expect(contentOf(id, bytes)).toEqual({ ok: true, text });
  });

  it.each([
    ['a NUL byte', Buffer.from('a\nb\0c\n\0'), 'E_FILE_BINARY', 2],
    ['UTF-16', Buffer.from('\uFEFFa\n', 'utf16le'), 'E_FILE_BINARY', 1],
    ['Latin-1', Buffer.from('ascii\nascii\ngr\xfc\xdfe\n', 'latin1'), 'E_FILE_ENCODING', 3],
    ['a character cut off at the end', Buffer.from('ü').subarray(0, 1), 'E_FILE_ENCODING', 1],
  ])('is at fault with %s', (_, bytes, code, line) => {
    expect(contentOf(id, bytes)).toMatchObject({ ok: false, fault: { code, line, file: id } });
  });
});
