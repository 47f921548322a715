const UNITS = [['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]] as const;

/** A span of time in its two largest units: `3d 4h`, `2m 5s`, `0s`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const shown = at === -1 ? UNITS.slice(-1) : UNITS.slice(at, at + 2);
  let rest = seconds;
  const parts = shown.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return { text: `${count}${unit}`, count };
  });
  return parts.filter(({ count }, index) => index === 0 || count > 0).map(({ text }) => text).join(' ');
}
