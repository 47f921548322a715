import { it } from 'vitest';
import { CASES } from './cases.ts';
import { JOURNAL_CASES } from './journal-cases.ts';
import { UNIT_CASES } from './unit-cases.ts';

for (const [name, run] of Object.entries({ ...CASES, ...UNIT_CASES, ...JOURNAL_CASES })) it(name, run, 120_000);
