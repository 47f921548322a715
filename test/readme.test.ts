import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generated } from './tooling/readme.ts';

const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('has the keys and the codes as the code has them (mend it with: node test/tooling/readme.ts)', () => {
  expect(generated(text)).toBe(text);
});
