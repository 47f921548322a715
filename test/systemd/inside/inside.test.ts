import { it } from 'vitest';
import { ALL_CASES } from './all-cases.ts';

for (const [name, run] of Object.entries(ALL_CASES)) it(name, run, 240_000);
