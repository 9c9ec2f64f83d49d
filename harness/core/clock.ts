/**
 * The kernel's monotonic clock. `performance.now` reads it without making an object for each reading, and counts from the start of its own
 * thread; what it counts from is found once, between two readings that lie close together.
 */
const ORIGIN_MS = originMs();

/** Milliseconds on this kernel's monotonic clock, the same for every process under it. */
export function monotonicMs(): number {
  return ORIGIN_MS + performance.now();
}

/** A process that is put off its core between two readings would be wrong by milliseconds, so the closest of twenty pairs counts (well under a microsecond). */
function originMs(): number {
  let closestMs = Number.POSITIVE_INFINITY;
  let origin = 0;
  for (let i = 0; i < 20; i++) {
    const beforeMs = performance.now();
    const clockMs = Number(process.hrtime.bigint()) / 1e6;
    const afterMs = performance.now();
    if (afterMs - beforeMs >= closestMs) continue;
    closestMs = afterMs - beforeMs;
    origin = clockMs - (beforeMs + afterMs) / 2;
  }
  return origin;
}
