/** `aftershock up SCENARIO`: the scenario's cluster, started and left standing, to be used and disturbed by hand. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { sweep } from '../cluster/remains.ts';
import type { ClusterSpec, LinkSpec, ProbeSpec } from '../cluster/spec.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';
import { linkName } from '../core/names.ts';
import { createProgress } from '../report/progress.ts';
import { type Paint, painter, table, takesColour } from '../report/table.ts';
import { budgetOf, refuseOverBudget, roomOf } from '../run/budget.ts';
import { describeEnvironment } from '../run/environment.ts';
import { planRun } from '../run/plan.ts';
import { loadScenario } from '../run/scenario.ts';
import type { Plan } from '../run/types.ts';
import { listenForInterrupts } from './interrupts.ts';

export interface UpFlags {
  readonly variant?: string;
  readonly json?: boolean;
}

/** Where requests come in: the near end of a client's link. */
interface Entry {
  readonly link: string;
  /** host:port on the cluster's network. */
  readonly address: string;
  /** It answers from here, too. */
  readonly fromHere: boolean;
}

/** An address of a network that this machine has no way into is met with silence. */
const REACH_WITHIN_MS = 1_000;

export async function upCommand(name: string, flags: UpFlags): Promise<void> {
  const plan = planRun(await loadScenario(name), { seed: 0, ...(flags.variant === undefined ? {} : { variant: flags.variant }) });
  const engine = await connectEngine();
  // Nobody asks anything of it yet.
  refuseOverBudget(budgetOf({ ...plan, load: [], steps: [], expectations: [] }), await roomOf(engine));
  // Says which image is missing: nothing is pulled or built on the way.
  await describeEnvironment(engine, plan);

  const progress = createProgress(process.stderr, { tty: process.stderr.isTTY ?? false });
  const interrupts = listenForInterrupts((text) => progress.note(text), { first: 'taking down what has been started', second: 'it is being taken down' });
  try {
    for (const note of await sweep(engine)) progress.note(note);
    progress.stage(`starting ${plan.cluster.title}`);
    const id = randomBytes(4).toString('hex');
    const cluster = await started(plan.cluster, engine, id, interrupts.signal);
    const entries = await entriesOf(plan.cluster, cluster);
    if (flags.json) process.stdout.write(`${JSON.stringify(asJson(id, plan, cluster, entries), null, 2)}\n`);
    else process.stdout.write(`${described(id, plan, cluster, entries).join('\n')}\n`);
  } finally {
    progress.end();
    interrupts.close();
  }
}

/** Throws the signal's reason when it was stopped before the cluster stood. */
async function started(spec: ClusterSpec, engine: Engine, runId: string, signal: AbortSignal): Promise<RunningCluster> {
  const quiet = () => undefined;
  try {
    const cluster = await startCluster(spec, { engine, runId, signal, journal: { intent: quiet, done: quiet } });
    await cluster.leave();
    return cluster;
  } catch (thrown) {
    throw signal.aborted ? signal.reason : thrown;
  }
}

function asJson(id: string, { scenario, variant, cluster: { title } }: Plan, cluster: RunningCluster, entries: readonly Entry[]): object {
  return {
    id,
    scenario,
    variant,
    title,
    nodes: cluster.nodes.map(({ name, role, address }) => ({ name, role, container: `aftershock-${id}-${name}`, address })),
    links: cluster.links.map(({ name, address, port }) => ({ name, address: `${address}:${port}` })),
    entries,
  };
}

function described(id: string, plan: Plan, cluster: RunningCluster, entries: readonly Entry[]): string[] {
  const rows = [
    ...plan.cluster.nodes.map(({ name, role, port }) => [name, role, `${cluster.node(name).address}${port === undefined ? '' : `:${port}`}`]),
    ...cluster.links.map(({ name, address, port }) => [name, 'link', `${address}:${port}`]),
  ];
  const paint: Paint = painter(takesColour(process.stdout));
  const lines = table(
    ['name', 'what', 'address'],
    rows.map((cells) => ({ cells: cells.map((text) => ({ text })) })),
    { width: process.stdout.columns ?? 160, paint },
  );
  const known = plan.cluster.links.at(-1);
  const target = known ? linkName(known.from, known.to) : '';
  return [
    '',
    `${paint(['bold'], id)} stands: ${plan.cluster.title} (${plan.scenario} · ${plan.variant})`,
    '',
    ...lines,
    '',
    ...entries.map(
      ({ link, address, fromHere }) => `  enter   ${address} (${link})${fromHere ? '' : ', from inside its network: this machine does not reach it'}`,
    ),
    ...(target === '' ? [] : [`  break   npx aftershock fault latency --on '${target}' --delay 300ms --for 10s`]),
    `  remove  npx aftershock down ${id}`,
    '',
  ];
}

function entriesOf(spec: ClusterSpec, cluster: RunningCluster): Promise<Entry[]> {
  const clients = spec.nodes.filter(({ role }) => role === 'client');
  const links = clients.flatMap(({ name }) => spec.links.filter(({ from }) => from === name));
  return Promise.all(
    links.map(async (link: LinkSpec) => {
      const { name, address, port } = cluster.link(linkName(link.from, link.to));
      return { link: name, address: `${address}:${port}`, fromHere: await answers(address, port, spec.nodes.find((node) => node.name === link.to)?.probe) };
    }),
  );
}

/** Whether a question is answered there from this machine; a connection alone says nothing, since proxies make one for everybody. */
function answers(host: string, port: number, probe: ProbeSpec | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(REACH_WITHIN_MS, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('connect', () => (probe ? socket.write(probe.send, 'latin1') : end(false)));
    socket.on('data', (bytes) => end(bytes.toString('latin1').startsWith(probe?.expect ?? '')));
  });
}
