import fc from 'fast-check';
import { unreachable } from '../../src/errors.ts';

/** Longest input that is made, bytes. */
const LONGEST = 32 * 1024;

/** One change to some bytes. Places are parts of the length: 0 to 1. */
type Edit =
  | { readonly kind: 'cut'; readonly at: number; readonly length: number }
  | { readonly kind: 'put'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'move'; readonly from: number; readonly length: number; readonly at: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'flip'; readonly at: number; readonly mask: number };

/** Good texts with a few things wrong: parts cut, moved, repeated, and pieces put in that mean something, or nothing. */
export function mutated(seeds: readonly Buffer[], pieces: readonly string[]): fc.Arbitrary<Buffer> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const length = fc.oneof(fc.nat(8), fc.nat(200));
  const bytes = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pieces).map((piece) => Buffer.from(piece)) }, fc.uint8Array({ maxLength: 8 }).map((each) => Buffer.from(each)));
  const times = fc.oneof({ weight: 20, arbitrary: fc.nat(40) }, fc.constantFrom(1_000, 30_000));
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constant('cut' as const), at: place, length }),
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), at: place, bytes }) },
    fc.record({ kind: fc.constant('move' as const), from: place, length, at: place }),
    fc.record({ kind: fc.constant('repeat' as const), at: place, length, times }),
    fc.record({ kind: fc.constant('flip' as const), at: place, mask: fc.nat(255) }),
  );
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 8 })).map(([seed, edits]) => edits.reduce(apply, seed));
}

/** Anything at all. */
export const BYTES: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));

function apply(bytes: Buffer, edit: Edit): Buffer {
  const at = Math.floor(edit.at * bytes.length);
  switch (edit.kind) {
    case 'cut':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.length)]);
    case 'put':
      return put(bytes, at, edit.bytes);
    case 'move': {
      const from = Math.floor(edit.from * bytes.length);
      return put(bytes, at, bytes.subarray(from, from + edit.length));
    }
    case 'repeat': {
      const piece = bytes.subarray(at, at + Math.max(1, edit.length));
      return put(bytes, at, Buffer.alloc(Math.min(piece.length * edit.times, LONGEST), piece.length === 0 ? ' ' : piece));
    }
    case 'flip': {
      const flipped = Buffer.from(bytes);
      if (at < flipped.length) flipped[at] = (flipped[at] ?? 0) ^ edit.mask;
      return flipped;
    }
    default:
      return unreachable(edit);
  }
}

function put(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]).subarray(0, LONGEST);
}
