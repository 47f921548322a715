import { accessSync, constants, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { ownCgroup } from '../../src/runner/cgroup-folder.ts';
import { until } from '../until.ts';

/** The folder of the cgroup (v2) that the tests run in, if they may make others in it; null: no. */
export const OWN_TREE: string | null = writable(ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8')));

function writable(folder: string | null): string | null {
  if (folder === null) return null;
  try {
    for (const path of [join(folder, 'cgroup.procs'), join(folder, 'cgroup.subtree_control')]) accessSync(path, constants.W_OK);
    return folder;
  } catch {
    return null;
  }
}

/** A cgroup of this test alone. When it is disposed, nobody may be in it, and nothing is left of it. */
export function openTree(): AsyncDisposable & { readonly folder: string; leaves(): readonly string[] } {
  if (OWN_TREE === null) throw new Error('no cgroup to play in');
  const folder = mkdtempSync(join(OWN_TREE, 'emperor-test-'));
  return {
    folder,
    leaves: () => below(folder).flatMap(below).map((each) => each.slice(each.lastIndexOf('/') + 1)),
    async [Symbol.asyncDispose]() {
      await until(() => {
        for (const each of [...below(folder).flatMap(below), ...below(folder), folder]) rmdirSync(each);
      });
    },
  };
}

function below(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory()).map(({ name }) => join(folder, name));
}
