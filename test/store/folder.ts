import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { SOME_TIME } from './samples.ts';

/** A folder of this test alone, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Opens a store that is to have nothing to complain of. */
export function openQuietly(folder: string): Store {
  return openStore(folder, {
    now: () => SOME_TIME,
    onTrouble: (code, message) => {
      throw new Error(`unexpected ${code}: ${message}`);
    },
  });
}
