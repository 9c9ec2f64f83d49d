/**
 * A link becomes slow, and a service that is well looks broken to whoever has too few workers.
 *
 * A worker waits for its answer, so what it takes is rate x time: 200 requests/s that are answered after 2 ms keep 0.4 workers busy, and
 * after 402 ms they keep 80 busy. Thirty of them then bear 30 / 0.402 s = 75 requests/s, so five of eight that fall due find nobody to send them. With 120
 * every request is sent and answered, 400 ms late and well within its deadline: a slow answer, and no outage.
 *
 * The workers are k6's VUs, and what k6 calls a dropped iteration is a request that found nobody.
 * Run it: npx aftershock run http-brownout
 */
import { drill, goodput, latency, percentile, recovery } from 'aftershock';
import { httpService, k6Load } from 'aftershock/containers';

const workers = (preAllocatedVUs: number) =>
  k6Load({ script: 'scenarios/k6/get.ts', rate: '200/s', preAllocatedVUs, deadline: '1s', timeout: '2s', entry: 'web-1' });

export default drill({
  id: 'http-brownout',
  story: 'every answer of an HTTP service comes 400 ms late for five seconds; clients with workers enough must lose nothing by it',
  duration: '16s',
  load: [workers(120)],
  steps: [{ at: '6s', for: '5s', fault: latency('client-1 -> web-1', '400ms') }],
  slos: {
    steady: percentile(95, { under: '50ms', when: 'before' }),
    slow: percentile(50, { under: '500ms', when: 'during' }),
    goodput: goodput({ atLeast: '95%', when: 'during' }),
    recovery: recovery({ within: '2s', from: 'healed', to: 'baseline', holds: '1s' }),
  },
  variants: {
    'too-few': { title: '30 workers', reported: true, cluster: httpService(), load: [workers(30)], misses: ['slow', 'goodput'] },
    enough: { title: '120 workers', cluster: httpService() },
  },
  moral: 'a link 400 ms slower: goodput {too-few.goodput} with 30 workers, {enough.goodput} with 120',
});
