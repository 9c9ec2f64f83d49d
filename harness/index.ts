/** What a scenario file needs of the harness. */
export { down, dropNew, kill, latency, loss, partition, pause, reject, reset, silence } from './faults/index.ts';
export { drill, incident } from './run/scenario.ts';
export type { Scenario, Step, Variant } from './run/types.ts';
export { connections, errors, goodput, isolation, percentile, recovery, ripple } from './slo/index.ts';
