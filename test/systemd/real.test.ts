import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { ALL_CASES } from './inside/all-cases.ts';
import { withSystemd } from './with-systemd.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const BOOT_AND_CASES_MS = 1_200_000;
const tool = withSystemd();

/** How a case ended, as vitest reports it. */
interface Outcome {
  readonly ancestorTitles: readonly string[];
  readonly title: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

/** All of them under one systemd, as each costs seconds to boot. */
async function runInside(program: string): Promise<ReadonlyMap<string, Outcome>> {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-systemd-'));
  try {
    const report = join(folder, 'report.json');
    const vitest = ['--bind', folder, '--', process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(ROOT, 'test/tooling/vitest.systemd.config.ts'), '--reporter=json', `--outputFile=${report}`];
    const { stderr, stdout } = await execa(program, vitest, { cwd: ROOT, reject: false, timeout: BOOT_AND_CASES_MS });
    let text = '';
    try {
      text = readFileSync(report, 'utf8');
    } catch (cause) {
      throw new Error(`no case was run under systemd: ${stderr}${stdout}`, { cause });
    }
    const { testResults } = JSON.parse(text) as { readonly testResults: readonly { readonly assertionResults: readonly Outcome[] }[] };
    return new Map(testResults.flatMap(({ assertionResults }) => assertionResults.map((each) => [each.title, each])));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('under a real systemd', () => {
  if (tool === null && process.env['CI'] === undefined) {
    it.skip('is skipped: there is no with-systemd, which the variable WITH_SYSTEMD would name', () => {});
    return;
  }
  let outcomes: ReadonlyMap<string, Outcome> = new Map();
  beforeAll(async () => {
    if (tool === null) throw new Error('WITH_SYSTEMD has to name the tool that boots a systemd');
    outcomes = await runInside(tool);
  }, BOOT_AND_CASES_MS);

  it.each(Object.keys(ALL_CASES))('%s', (name) => {
    const outcome = outcomes.get(name);
    expect(outcome?.failureMessages.join('\n')).toBe('');
    expect(outcome?.status).toBe('passed');
  });

  it('the runner of units keeps the contract of runners', () => {
    const kept = [...outcomes.values()].filter(({ ancestorTitles }) => ancestorTitles.includes('the runner contract, kept by units of systemd'));
    expect(kept.length).toBeGreaterThan(8);
    expect(kept.flatMap(({ failureMessages }) => failureMessages).join('\n')).toBe('');
    expect(kept.filter(({ status }) => status !== 'passed')).toEqual([]);
  });
});
