/** Milliseconds on this kernel's monotonic clock, the same for every process under it. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
