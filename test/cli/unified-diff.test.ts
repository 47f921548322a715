import { applyPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../src/cli/render/unified-diff.ts';
import type { DiffDocument } from '../../src/control/protocol.ts';

function documentOf(from: string, to: string, file = '/v/shop.toml'): DiffDocument {
  const revision = (number: number, text: string): DiffDocument['from'] => ({ number, at: '2026-01-31T12:00:00.000Z', hash: 'x', text });
  return { name: 'shop', file, from: revision(3, from), to: revision(4, to) };
}

describe('a difference', () => {
  it('is unified, and names the revisions', () => {
    expect(unifiedDiff(documentOf('[vassal]\nworkers = 2\nserver = "node"\n', '[vassal]\nworkers = 4\nserver = "node"\n'))).toBe([
      '--- /v/shop.toml\trevision 3, 2026-01-31T12:00:00.000Z',
      '+++ /v/shop.toml\trevision 4, 2026-01-31T12:00:00.000Z',
      '@@ -1,3 +1,3 @@',
      ' [vassal]',
      '-workers = 2',
      '+workers = 4',
      ' server = "node"',
      '',
    ].join('\n'));
  });

  it('of the same text is empty', () => {
    expect(unifiedDiff(documentOf('a\n', 'a\n'))).toBe('');
  });

  it.each([
    ['a\nb\n', 'a\nc\n'], ['', 'a\n'], ['a\n', ''], ['a', 'b'], ['a', 'a\n'], ['a\n', 'a'], ['a\r\nb\r\n', 'a\nb\n'], ['x\n'.repeat(50), `${'x\n'.repeat(25)}y\n${'x\n'.repeat(25)}`],
    ['größe\n', 'größe 🦊\n'],
  ])('of %j and %j is what leads from one to the other', (from, to) => {
    for (const patienceMs of [5_000, -1]) {
      expect(applyPatch(from, unifiedDiff(documentOf(from, to), patienceMs), { autoConvertLineEndings: false })).toBe(to);
    }
  });

  it('keeps to its file, whatever its name', () => {
    const [first, second] = unifiedDiff(documentOf('a\n', 'b\n', '/v/a\nb\t"c".toml')).split('\n');
    expect([first?.slice(0, 4), second?.slice(0, 4)]).toEqual(['--- ', '+++ ']);
  });

  it('of long texts that have nothing in common is told in time: all goes, all comes', () => {
    const lines = (word: string): string => Array.from({ length: 30_000 }, (_, index) => `${word} ${index}\n`).join('');
    const patch = unifiedDiff(documentOf(lines('old'), lines('new')), 100);
    expect(patch.split('\n').slice(2, 4)).toEqual(['@@ -1,30000 +1,30000 @@', '-old 0']);
    expect(patch.endsWith('+new 29999\n')).toBe(true);
  });
});
