const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A duration as people write it (`500ms`, `30s`, `1.5m`, `2h`, or a bare 0) in whole ms; null if it is none. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0;
  const [, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text) ?? [];
  const unitMs = MS[unit];
  return amount === undefined || unitMs === undefined ? null : Math.round(Number(amount) * unitMs);
}
