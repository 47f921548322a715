const UNITS = ['', 'K', 'M', 'G', 'T'] as const;

/** Bytes as vassal files write them, for people: `64M`, `1.5G`. */
export function printSize(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${Number(amount.toFixed(1))}${UNITS[unit] ?? ''}`;
}
