/**
 * A backend with a slow network makes the whole cluster slow.
 *
 * twemproxy waits for a silent server for ever by default, and a client connection carries one request at a time, so sooner or later
 * every connection stands behind a key of the slow node. A quarter of 2,000 requests/s wants that node and gets its answer a
 * second late, when the client has long given up: each of the 50 connections is then lost every 0.25 s, 50 / 0.25 s =
 * 200 timeouts a second. Each leaves a descriptor in CLOSE_WAIT at its proxy until the late answer comes, 200/s x (1 s - 0.25 s) =
 * 150 of them, beside the 50 in use: four times the connections, from clients that only did what clients do.
 *
 * MemCachier, "Degraded Performance and Outages Last Week", Wednesday 11/21 (2012).
 * Run it: npx aftershock run slow-node
 */
import { connections, goodput, incident, isolation, latency, percentile, recovery, ripple } from 'aftershock';
import { cache, cacheClients } from 'aftershock/containers';

const tier = { backends: 4, proxies: 2 } as const;

export default incident({
  id: 'slow-node',
  story: 'mc-3 answers a second late; keys on the three healthy nodes must not notice for longer than a second',
  source: 'MemCachier, "Degraded Performance and Outages Last Week", Wednesday 11/21 (2012)',
  scale:
    'Four backends and two proxies for a fleet, 50 client connections for thousands. The mechanism is a ratio and survives: one slow node of N takes 1/N of each ' +
    "connection's requests, so every connection meets it within a few requests, however many there are. The reported node was new; here it is one that is there.",
  duration: '35s',
  load: [
    cacheClients({
      rate: '2000/s',
      connections: 50,
      mix: { get: '90%', set: '10%' },
      backends: tier.backends,
      deadline: '1s',
      timeout: '250ms',
      onTimeout: 'reconnect',
    }),
  ],
  steps: [{ at: '10s', for: '15s', fault: latency('proxy-* -> mc-3', '1s') }],
  symptoms: {
    ripple: ripple({ from: 'mc-3', atLeast: '20x' }),
    connections: connections({ at: 'proxy-*', growBy: '3x' }),
  },
  slos: {
    steady: percentile(99, { under: '25ms', when: 'before' }),
    goodput: goodput({ atLeast: '95%', when: 'during', grace: '1s' }),
    isolation: isolation({ p99Under: '25ms', orTimesBaseline: '3x', grace: '1s' }),
    adapts: recovery({ within: '3s', from: 'injected', to: 'baseline', holds: '2s' }),
    recovery: recovery({ within: '5s', from: 'healed', to: 'baseline', holds: '2s' }),
  },
  variants: {
    'as-it-happened': {
      title: 'proxies wait for ever and eject nobody',
      reported: true,
      cluster: cache({ ...tier, proxyTimeout: 'never' }),
      misses: ['goodput', 'isolation', 'adapts'],
    },
    eject: {
      title: 'proxies give up after 60 ms and eject after 3 failures',
      cluster: cache({ ...tier, proxyTimeout: '60ms', eject: { after: 3, retryIn: '5s' } }),
    },
  },
  moral: 'one slow node of four: goodput {as-it-happened.goodput} for everybody; with ejection {eject.goodput}, normal again after {eject.adapts}',
});
