/**
 * One cache is frozen for exactly three seconds: the yardstick for every recovery time that this project reports.
 *
 * Nothing but a link stands between the client and the cache, so the outage that clients see is the pause itself: 3.000 s, as the engine's
 * own events tell it (pause to unpause), plus at most one request's way. At 200 requests/s a request falls due
 * every 5 ms, which bounds how soon a client can notice.
 *
 * Run it: npx aftershock run scripted-outage
 */
import { drill, pause, percentile, recovery } from 'aftershock';
import { bareCache, cacheClients } from 'aftershock/containers';

export default drill({
  id: 'scripted-outage',
  story: 'a cache stands still for three seconds; the first answer after it is seen to a tenth of a second',
  duration: '13s',
  load: [
    cacheClients({
      rate: '200/s',
      connections: 20,
      mix: { get: '90%', set: '10%' },
      backends: 1,
      entry: 'mc-1',
      deadline: '1s',
      timeout: '250ms',
      onTimeout: 'reconnect',
    }),
  ],
  steps: [{ at: '6s', for: '3s', fault: pause('mc-1') }],
  slos: {
    steady: percentile(90, { under: '25ms', when: 'before' }),
    answers: recovery({ within: '3.2s', from: 'injected', to: 'first success' }),
    recovery: recovery({ within: '2s', from: 'healed', to: 'baseline', holds: '1s' }),
  },
  variants: { bare: { title: 'one memcached, no proxy', cluster: bareCache() } },
});
