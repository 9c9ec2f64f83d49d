/** What k6 runs: GETs at a constant arrival rate. Prints one line of JSON with its own view of the latencies, in ms. */
import http from 'k6/http';

// biome-ignore lint/correctness/noUndeclaredVariables: k6 puts the environment there.
const environment = __ENV;
const [rate, seconds, users] = ['AFTERSHOCK_RATE', 'AFTERSHOCK_SECONDS', 'AFTERSHOCK_USERS'].map((name) => Number(environment[name]));

export const options = {
  discardResponseBodies: true,
  summaryTrendStats: ['p(50)', 'p(99)', 'max', 'count'],
  scenarios: {
    constant: { executor: 'constant-arrival-rate', rate, timeUnit: '1s', duration: `${seconds}s`, preAllocatedVUs: users, maxVUs: users, gracefulStop: '2s' },
  },
};

export default function get() {
  http.get(environment['AFTERSHOCK_URL'] ?? '');
}

/** @param {{ metrics: Record<string, { values: Record<string, number> } | undefined> }} summary */
export function handleSummary({ metrics }) {
  const latency = metrics['http_req_duration']?.values ?? {};
  const told = { p99Ms: latency['p(99)'], maxMs: latency['max'], sent: latency['count'], dropped: metrics['dropped_iterations']?.values['count'] ?? 0 };
  return { stdout: `${JSON.stringify(told)}\n` };
}
