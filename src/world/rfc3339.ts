/** Wall time in ms as RFC 3339 in UTC, to the millisecond: `2026-01-31T12:00:00.000Z`. */
export function rfc3339(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
