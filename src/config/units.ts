import { parseDuration } from '../core/duration.ts';
import { single, type Form } from './form.ts';

/** A year; longer waits are mistakes. */
const LONGEST_MS = 365 * 24 * 3_600_000;

/** A duration in ms: a number with its unit, or 0. @param leastMs default 0 */
export function duration(leastMs = 0): Form<number> {
  return single({
    label: leastMs === 0 ? 'a duration' : `a duration of at least ${leastMs} ms`,
    hint: 'write "500ms", "30s", "5m" or "1h"',
    parse(text) {
      const ms = parseDuration(text);
      return ms !== null && ms >= leastMs && ms <= LONGEST_MS ? ms : undefined;
    },
    advise: (text) => (/^[1-9]\d{0,14}(\.\d{1,6})?$/.test(text) ? `write "${text}s"` : null),
  });
}

const BYTES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** A size in bytes: bytes, or a number with K, M or G (powers of 1024). */
export const SIZE: Form<number> = single({
  label: 'a size',
  hint: 'write "512K", "64M" or "1G"',
  parse(text) {
    const [, number, unit = ''] = /^(\d{1,12})([KMG]?)$/i.exec(text) ?? [];
    const bytes = Number(number) * (BYTES[unit.toUpperCase()] ?? Number.NaN);
    return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
  },
  advise: (text) => (/^\d{1,12}\s*[KMG]i?B$/i.test(text) ? `write "${text.replace(/\s*i?B$/i, '').toUpperCase()}"` : null),
});

/** A share of one core, more than one too: `"50%"`, `"200%"`. 1 is one core; at least 1 %, which is the least that the kernel enforces. */
export const CORES: Form<number> = single({
  label: 'a share of one core',
  hint: 'write "50%", or "200%" for two cores',
  parse(text) {
    const [, percent] = /^(\d{1,6}(?:\.\d{1,3})?)%$/.exec(text) ?? [];
    const share = Number(percent) / 100;
    return share >= 0.01 ? share : undefined;
  },
  advise: (text) => (/^[1-9]\d{0,4}$/.test(text) ? `write "${text}%"` : null),
});

/** Permissions taken from new files, umask(2), in octal: `"022"`, in TOML also 0o022. */
export const UMASK: Form<number> = octal('an octal umask', '022');

/** Permissions of a file, chmod(2), in octal: `"660"`, in TOML also 0o660. */
export const MODE: Form<number> = octal('octal permissions', '660');

function octal(label: string, example: string): Form<number> {
  return single({
    label,
    hint: `write "${example}"`,
    parse(text, written) {
      // A plain number without a leading zero may be meant as decimal: better ask.
      const form = written === 'number' ? /^0o?[0-7]{0,3}$/ : /^(0o?)?[0-7]{1,3}$/;
      return form.test(text) ? Number.parseInt(text.replace(/^0o/, '') || '0', 8) : undefined;
    },
    advise: (text) => (/^[0-7]{1,3}$/.test(text) ? `write "${text.padStart(3, '0')}"` : null),
  });
}

/** A part of a whole, more than nothing and less than all: `"5%"` or 0.05. */
export const SHARE: Form<number> = single({
  label: 'a share',
  hint: 'write "5%" or 0.05: more than nothing, less than all',
  parse(text) {
    const [, number, percent] = /^(\d{1,3}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
    const share = percent === '%' ? Number(number) / 100 : Number(number);
    return share > 0 && share < 1 ? share : undefined;
  },
  advise: (text) => (/^[1-9]\d?$/.test(text) ? `write "${text}%"` : null),
});
