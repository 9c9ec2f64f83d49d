/** What others have put into a node's network namespace, the engine first of all, is none of ours: it is there as it was after every fault, and after the death of whoever injected one. */
import { randomBytes } from 'node:crypto';
import type Dockerode from 'dockerode';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../cluster/engine.ts';
import { runLabels } from '../../cluster/labels.ts';
import { useBareCluster } from '../bare.fixture.ts';
import { msUntil, useDoomed } from '../doomed.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { dropNew } from './drop-new.ts';
import { limitConnections } from './limit-connections.ts';
import { loss } from './loss.ts';
import { partition } from './partition.ts';
import { reject } from './reject.ts';

/** Counts what comes to the cache and what leaves it, before and behind our rules, as somebody else's monitoring would. */
const FOREIGN = `
table inet foreign {
  set seen {
    type ipv4_addr
    elements = { 192.0.2.7 }
  }
  counter arrived {
  }
  chain early {
    type filter hook input priority -10; policy accept;
    tcp dport 11211 counter name arrived
  }
  chain late {
    type filter hook input priority 10; policy accept;
    ip saddr @seen counter drop
    tcp dport 11211 counter
  }
}
table netdev foreign {
  chain out {
    type filter hook egress device "eth0" priority 10; policy accept;
    tcp sport 11211 counter
  }
}
`;

/** Somebody else's container in the namespace of mc-1, with a hand of its own. */
class Stranger {
  readonly #container: Dockerode.Container;

  private constructor(container: Dockerode.Container) {
    this.#container = container;
  }

  static async beside({ docker }: Engine, containerId: string): Promise<Stranger> {
    const container = await docker.createContainer({
      Image: 'aftershock/hand:1',
      Cmd: ['sleep', 'infinity'],
      // What a test that was killed leaves is found by it, and removed as the remains of a dead run.
      Labels: runLabels(`stranger-${randomBytes(4).toString('hex')}`),
      HostConfig: { NetworkMode: `container:${containerId}`, CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
    });
    await container.start();
    const stranger = new Stranger(container);
    try {
      await stranger.#nft(FOREIGN);
    } catch (thrown) {
      await stranger.remove();
      throw thrown;
    }
    return stranger;
  }

  /** All rules there, without what goes on changing in them: what was counted, and how long an element has to live. */
  async rules(): Promise<string> {
    const text = await this.#nft('list ruleset');
    return text.replaceAll(/packets \d+ bytes \d+/g, 'packets N').replaceAll(/ expires \w+/g, '');
  }

  /** The same without the tables of faults. */
  async othersRules(): Promise<string> {
    return (await this.rules()).replaceAll(/^table \w+ aftershock_\w+ \{\n(?:\t.*\n|\n)*\}\n/gm, '');
  }

  async #nft(command: string): Promise<string> {
    const exec = await this.#container.exec({ Cmd: ['nft', command], AttachStdout: true, AttachStderr: true, Tty: true });
    const pieces: Buffer[] = [];
    for await (const piece of await exec.start({ Tty: true })) pieces.push(piece as Buffer);
    const said = Buffer.concat(pieces).toString('latin1').replaceAll('\r\n', '\n');
    if ((await exec.inspect()).ExitCode !== 0) throw new Error(said);
    return said;
  }

  remove(): Promise<void> {
    return this.#container.remove({ force: true });
  }
}

let engine: Engine;
let stranger: Stranger | undefined;
beforeEach(async () => {
  engine = await connectEngine();
});
afterEach(async () => {
  await stranger?.remove();
  stranger = undefined;
});

describe('what others have in the namespace', () => {
  const bare = useBareCluster();
  const FAULTS: Fault[] = [
    loss('mc-1', '20%', { direction: 'both' }),
    partition('mc-1'),
    reject('mc-1'),
    reject('mc-1', { with: 'icmp-host-unreachable' }),
    dropNew('mc-1'),
    limitConnections('mc-1', { count: 5 }),
    limitConnections('mc-1', { rate: '50/s', per: 'source' }),
  ];

  it('is byte for byte as it was while a fault of each kind is in force, and all there is once it is healed', async () => {
    stranger = await Stranger.beside(engine, (bare.cluster.node('mc-1') as unknown as { id: string }).id);
    const before = await stranger.rules();
    expect(before).toContain('table inet foreign');
    expect(before).not.toContain('aftershock');
    for (const fault of FAULTS) {
      const prepared = await faultKind(fault).prepare(fault, bare.cluster);
      const injected = await prepared.inject();
      expect(await injected.prove()).toMatchObject({ holds: true });
      expect(await stranger.rules()).toContain('aftershock');
      expect(await stranger.othersRules()).toBe(before);
      await injected.heal();
      expect(await injected.proveHealed()).toMatchObject({ holds: true });
      await prepared.close();
      expect(await stranger.rules()).toBe(before);
    }
  });
});

describe('after the death of the harness', () => {
  const doomed = useDoomed('traffic');
  let before: string;

  beforeEach(async () => {
    stranger = await Stranger.beside(engine, (await doomed.container('mc-1').inspect()).Id);
    if (!(await stranger.rules()).includes('numgen')) throw new Error('no loss is in force');
    before = await stranger.othersRules();
    await doomed.kill('reaper');
  });
  it('that is as it was, and no table of ours is left, when the sidecar has taken back what was lent', async () => {
    const endedAt = doomed.end();
    await msUntil(endedAt, async () => !((await stranger?.rules()) ?? '').includes('numgen'));
    await msUntil(endedAt, async () => !((await stranger?.rules()) ?? '').includes('aftershock'));
    expect(await stranger?.rules()).not.toContain('aftershock');
    expect(await stranger?.othersRules()).toBe(before);
  });

  it('that is as it was when the kernel has ended the lease, beside a table that matches nothing any more', async () => {
    await doomed.kill('net-mc-1');
    const endedAt = doomed.end();
    const leased = async () => /set lease \{[^}]*elements/.test((await stranger?.rules()) ?? '');
    expect(await leased()).toBe(true);
    await msUntil(endedAt, async () => !(await leased()));
    expect(await leased()).toBe(false);
    expect(await stranger?.othersRules()).toBe(before);
  });
});
