import type { Fault } from '../core/fault.ts';
import type { Code } from '../errors.ts';
import type { Reading, Table } from './tree.ts';

/** Most faults that are told of one file: the others show when these are mended. */
const MOST = 100;

/** Collects the faults of one file, so that all of them can be told at once. The same fault twice counts once. */
export interface Report {
  /** What was told so far, the first hundred in the order of the lines; those without a line come first. */
  faults(): readonly Fault[];
  /** Always undefined, so that a reader can end in `return report.tell(…)`. */
  tell(code: Code, message: string, place?: FaultPlace): undefined;
  /** The answer of a reader: the tree, or what was told. */
  reading(tree: Table): Reading;
}

/** What a fault is about; each part that is left out becomes null. */
export interface FaultPlace {
  readonly line?: number | null;
  readonly key?: string | null;
  readonly hint?: string | null;
}

/** @param file absolute path, for the faults */
export function reportOn(file: string): Report {
  const faults = new Map<string, Fault>();
  const sorted = () => [...faults.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, MOST);
  return {
    faults: sorted,
    tell(code, message, { line = null, key = null, hint = null } = {}) {
      faults.set(JSON.stringify([code, message, line, key]), { code, message, file, line, key, hint });
      return undefined;
    },
    reading: (tree) => (faults.size === 0 ? { ok: true, tree } : { ok: false, faults: sorted() }),
  };
}

/** Tells of a key that comes again where it can be given once. */
export function tellTwice(report: Report, key: string, line: number, firstLine: number): void {
  report.tell('E_KEY_DUPLICATE', `key ${JSON.stringify(key)} is given twice`, { line, key, hint: `it stands in line ${firstLine} already` });
}
