import { describe, expect, it } from 'vitest';
import type { SeenFile, VassalId } from '../../src/core/listing.ts';
import type { FileLook, State } from '../../src/monitors/look-at-file.ts';
import { judge, type Told, type Waiting } from '../../src/monitors/settle.ts';

const NOW = { ms: 1_000, at: 50_000 };
const told: Told = { hash: 'old', ok: true, identity: '1.1' };

function waiting(changes: Partial<Waiting> = {}): Waiting {
  return { sinceMs: NOW.ms, hinted: true, written: true, looks: 0, goneMs: null, seal: null, ...changes };
}

function seen(changes: Partial<State & { kind: 'content' }> = {}, hash = 'new'): FileLook {
  const file: SeenFile = { id: '/v/a.toml' as VassalId, name: 'a', stamp: 's', hash, content: { ok: true, text: hash } };
  return { kind: 'seen', file, seal: 'seal', signposts: [], state: { kind: 'content', identity: '1.1', unwritten: true, handed: false, empty: false, changedAt: NOW.at, ...changes } };
}

const busy: FileLook = { kind: 'busy', why: 'written', signposts: [] };
const astray: FileLook = { ...(seen() as FileLook & { kind: 'seen' }), state: { kind: 'astray' } };

describe('settling', () => {
  it.each<[string, FileLook, Told | null, Partial<Waiting>, number | 'complete']>([
    ['a touch', seen({}, 'old'), told, {}, 'complete'],
    ['a touch of a file that the kernel tells nothing about', seen({ unwritten: false }, 'old'), told, {}, 'complete'],
    ['a file with set times', seen({ handed: true }), told, {}, 'complete'],
    ['a file with set times that the kernel tells nothing about', seen({ handed: true, unwritten: false }), told, {}, 30],
    ['a file that was written long ago', seen({ changedAt: NOW.at - 2_000 }), null, { hinted: false, written: false }, 'complete'],
    ['a file written just now', seen(), told, {}, 20],
    ['a file written 18 ms ago', seen(), told, { sinceMs: NOW.ms - 18 }, 2],
    ['a file written 20 ms ago', seen(), told, { sinceMs: NOW.ms - 20 }, 'complete'],
    ['a file whose rest of the wait is shorter than a timer', seen(), told, { sinceMs: NOW.ms - 19.5 }, 0],
    ['a new file written just now', seen(), null, {}, 20],
    ['an emptied file', seen({ empty: true }), told, { sinceMs: NOW.ms - 20 }, 230],
    ['an empty file after its time', seen({ empty: true }), null, { sinceMs: NOW.ms - 250 }, 'complete'],
    ['an empty file that was written long ago', seen({ empty: true, changedAt: 0 }), null, { hinted: false }, 250],
    ['a name that came, at first sight', seen({ identity: '1.2' }), told, { written: false }, 0],
    ['a name that came, a turn later', seen({ identity: '1.2' }), told, { written: false, seal: 'seal' }, 'complete'],
    ['a name that came and changed since', seen({ identity: '1.2' }), told, { written: false, seal: 'other' }, 0],
    ['a name that came for the file that was there', seen(), told, { written: false, seal: 'seal' }, 20],
    ['a name that came and was written', seen({ identity: '1.2' }), told, { seal: 'seal' }, 20],
    ['a file found by looking, just written', seen(), null, { hinted: false, written: false }, 20],
    ['a file that nothing is told about, at first sight', seen({ unwritten: false }), told, { sinceMs: NOW.ms - 30 }, 30],
    ['a file that nothing is told about, when it has held still', seen({ unwritten: false }), told, { sinceMs: NOW.ms - 30, seal: 'seal' }, 'complete'],
    ['a file that is being written, at first', busy, told, {}, 1],
    ['a file that is being written, at the sixth look', busy, told, { looks: 5 }, 32],
    ['a file that is being written, for ever', busy, told, { looks: 5_000 }, 250],
    ['a removal', { kind: 'absent' }, told, {}, 5],
    ['a removal after its grace', { kind: 'absent' }, told, { goneMs: NOW.ms - 5 }, 'complete'],
    ['the removal of what was never told', { kind: 'absent' }, null, {}, 'complete'],
    ['a symlink that leads nowhere', astray, null, {}, 'complete'],
    ['a symlink that leads nowhere since just now', astray, told, {}, 5],
    ['a symlink that leads nowhere as it did', astray, { ...told, ok: false }, {}, 'complete'],
    ['what cannot be half-written', { ...(seen() as FileLook & { kind: 'seen' }), state: { kind: 'final' } }, told, {}, 'complete'],
  ])('%s', (_, look, before, wait, expected) => {
    expect(judge(look, before, waiting(wait), NOW)).toEqual(expected === 'complete' ? { kind: 'complete' } : { kind: 'again', afterMs: expected });
  });
});
