/** Whether a kernel takes rules of a sort, tried in a container without a network, in a namespace of its own that goes with it: 0.4 s. */
import type { Engine } from '../../cluster/engine.ts';
import { runLabels } from '../../cluster/labels.ts';
import { type PacketRule, tables } from './nft.ts';

const HAND = 'aftershock/hand';

const tried = new Map<string, Promise<string | undefined>>();

/** Why it does not, in nft's own words; undefined when it does, or when there is no hand yet to try it with, which whoever looks for images will say. Tried once for each sort. */
export function refusedByKernel(engine: Engine, rules: readonly PacketRule[]): Promise<string | undefined> {
  const script = tables('aftershock_trial', rules, 'lo');
  const key = `${engine.address.url} ${script}`;
  const answer = tried.get(key) ?? tryOut(engine, script);
  tried.set(key, answer);
  return answer;
}

async function tryOut({ docker }: Engine, script: string): Promise<string | undefined> {
  const [image] = await docker.listImages({ filters: { reference: [HAND] } });
  if (!image) return undefined;
  const container = await docker.createContainer({
    Image: image.Id,
    Cmd: ['nft', script],
    Labels: runLabels('look'),
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
  });
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode === 0) return undefined;
    const said = ((await container.logs({ stdout: true, stderr: true })) as unknown as Buffer).toString('latin1');
    const why = /Error: ([^\n]*)/.exec(said)?.[1] ?? `nft ended with ${StatusCode}`;
    return `its kernel does not take these rules of nftables (${why})`;
  } finally {
    await container.remove({ force: true });
  }
}
