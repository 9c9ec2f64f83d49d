/**
 * Something that behaves towards the program beside k6 as k6 does, and goes wrong as it is told: started by
 * `node k6.fixture.ts MODE` before k6's own arguments. It carries 20 iterations, one each 10 ms.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const [mode, ...args] = process.argv.slice(2);
const variables = new Map(args.flatMap((word, at) => (args[at - 1] === '-e' ? [word.split(/=(.*)/s) as [string, string]] : [])));

const out = (text: string) => process.stdout.write(`${text}\n`);
const micros = (ms: number) => Math.round(ms * 1_000);
const complain = (msg: string, source?: string) => process.stderr.write(`${JSON.stringify({ level: 'error', msg, ...(source && { source }) })}\n`);

if (mode === 'broken') {
  complain(
    `could not initialize 'aftershock.js': could not load JS test 'file://${process.cwd()}/aftershock.js': file://${process.cwd()}/script/get.ts: Line 2:0 Unexpected end of file`,
  );
  process.exit(107);
}
if (mode === 'babbles') out('hello');
else out('metric_name,timestamp,metric_value,check,error,error_code,scenario,status,extra_tags,metadata');

const answer = await fetch(variables.get('AFTERSHOCK_GATE') ?? '');
const startMs = Number(await answer.text());
await sleep(startMs - Date.now());
// What k6 does before its lead-in is over.
const zeroMs = startMs + 10;
for (let n = 0; n < 20; n++) {
  await sleep(Math.max(0, zeroMs + n * 10 - Date.now()));
  if (mode === 'short' && n === 15) break;
  if (mode === 'dies' && n === 10) process.kill(process.pid, 'SIGKILL');
  if (mode === 'throws' && n === 5) complain(`TypeError: x is undefined\n\tat default (file://${process.cwd()}/script/get.ts:7:48(34))\n`, 'stacktrace');
  if (mode?.startsWith('prints') && n === 5) complain('my own error', 'console');
  if (mode === 'prints and dies' && n === 10) process.exit(1);
  const atMs = zeroMs + n * 10;
  if (n % 5 === 4) {
    out(`dropped_iterations,${micros(atMs)},1.000000,,,,load,,,`);
    continue;
  }
  if (mode !== 'mute') out(`http_req_duration,${micros(atMs + 2)},1.500000,,,,load,200,,vu=1`);
  out(`iteration_duration,${micros(atMs + 2.1)},2.100000,,,,load,,,vu=1`);
}
if (mode === 'hangs') await sleep(60_000);
