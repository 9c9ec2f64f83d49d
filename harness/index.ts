/** What a scenario file needs of the harness. */
export { down, kill, latency, loss, pause, silence } from './faults/index.ts';
export { drill, incident } from './run/scenario.ts';
export type { Scenario, Step, Variant } from './run/types.ts';
export { connections, errors, goodput, isolation, percentile, recovery, ripple } from './slo/index.ts';
