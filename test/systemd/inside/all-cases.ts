import { CASES } from './cases.ts';
import { HANGING_CASES } from './hanging-cases.ts';
import { JOURNAL_CASES } from './journal-cases.ts';
import { README_CASES } from './readme-cases.ts';
import { STORE_CASES } from './store-cases.ts';
import { UNIT_CASES } from './unit-cases.ts';

/** In their order; all of them have one systemd. */
export const ALL_CASES: Readonly<Record<string, () => Promise<void>>> = { ...CASES, ...UNIT_CASES, ...JOURNAL_CASES, ...STORE_CASES, ...HANGING_CASES, ...README_CASES };
