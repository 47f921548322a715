import { it } from 'vitest';
import { CASES } from './cases.ts';

for (const [name, run] of Object.entries(CASES)) it(name, run, 120_000);
