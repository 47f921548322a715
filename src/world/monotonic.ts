/** CLOCK_MONOTONIC of clock_gettime(2), in µs: the same for all processes of this host. */
export function monotonicUs(): bigint {
  return process.hrtime.bigint() / 1_000n;
}
