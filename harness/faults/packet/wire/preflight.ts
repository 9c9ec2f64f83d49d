/** Whether packets can be led through a wire with this engine and its kernel, tried in a container without a network, in a namespace of its own that goes with it: under a second. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Engine } from '../../../cluster/engine.ts';
import { runLabels } from '../../../cluster/labels.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Driver } from './effects.ts';
import { netemEnds, netemWire } from './netem.ts';
import { routesMake, routesSteering } from './routes.ts';
import { steering } from './steering.ts';
import { tunEnds, tunProgram } from './tun.ts';

const IMAGE = 'aftershock/tun';
const TUN_DEVICE = '/dev/net/tun';

/** For each, why it cannot be done; undefined where it can. */
export interface WireLacks {
  readonly fwd: string | undefined;
  readonly routes: string | undefined;
  readonly netem: string | undefined;
  readonly tun: string | undefined;
}

const tried = new Map<string, Promise<WireLacks | undefined>>();

/** Undefined when there is no image yet to try it with, which whoever looks for images will say. Tried once. */
export function wireLacks(engine: Engine): Promise<WireLacks | undefined> {
  const answer = tried.get(engine.address.url) ?? tryOut(engine);
  tried.set(engine.address.url, answer);
  return answer;
}

/** Why no fault can lead packets through a wire there, in a few words; undefined when one driver can. */
export async function lackingForWires(engine: Engine): Promise<string | undefined> {
  const lacks = await wireLacks(engine);
  if (!lacks || (lacks.fwd === undefined && lacks.netem === undefined)) return undefined;
  if (lacks.tun !== undefined) return `it has no tun device (${lacks.tun}), and its kernel no netem (${lacks.netem ?? lacks.fwd})`;
  if (lacks.fwd !== undefined && lacks.routes !== undefined)
    return `its kernel cannot lead packets to a tun device by nftables (${lacks.fwd}), nor by routes (${lacks.routes})`;
  return undefined;
}

/** The same of the driver that was asked for, which is not left to what there is. */
export async function lackingForDriver(driver: Driver | undefined, engine: Engine): Promise<string | undefined> {
  const lacks = driver && (await wireLacks(engine));
  if (!lacks) return undefined;
  const netem = lacks.netem ?? lacks.fwd;
  if (driver === 'netem' && netem !== undefined) return `its kernel has no netem (${netem}); write driver: 'tun', or leave it out`;
  if (driver === 'tun' && lacks.tun !== undefined) return `it has no tun device (${lacks.tun}); write driver: 'netem', or leave it out`;
  return undefined;
}

async function tryOut(engine: Engine): Promise<WireLacks | undefined> {
  const [image] = await engine.docker.listImages({ filters: { reference: [IMAGE] } });
  if (!image) return undefined;
  const netem = netemEnds('1', 'in');
  const tun = tunEnds('2', 'out');
  const veth = netemWire('in', netem, { delayMs: 1 }, '02:00:00:00:00:01');
  const rules = steering({ name: 'aftershock_trial', port: 1, ends: { in: { enter: 'lo', leave: 'lo' }, out: { enter: 'lo', leave: 'lo' } }, device: 'lo' });
  const trial = new Trial(engine, image.Id);
  const routes = routesSteering({ name: 'aftershock_trial', port: 1, ends: { in: tun, out: tun }, device: 'lo' }, 1);
  const [withoutNetem, withoutFwd, withoutRoutes, withoutTun] = await Promise.all([
    trial.firstFailure(veth),
    trial.firstFailure([['nft', rules]]),
    trial.firstFailure([['nft', routes], ...routesMake({ out: { enter: 'lo', leave: 'lo' } }, 1)]),
    // Its stdin has ended already, so that it is over as soon as its device stands.
    trial.firstFailure([tunProgram({ out: tun }, { delayMs: 1 })], TUN_DEVICE),
  ]);
  return { netem: withoutNetem, fwd: withoutFwd, routes: withoutRoutes, tun: withoutTun };
}

class Trial {
  readonly #engine: Engine;
  readonly #image: string;

  constructor(engine: Engine, image: string) {
    this.#engine = engine;
    this.#image = image;
  }

  /** Runs commands in one container, one after the other; answers with the words of the first that fails. */
  async firstFailure(commands: readonly (readonly string[])[], device?: string): Promise<string | undefined> {
    const { docker } = this.#engine;
    const Devices = device === undefined ? [] : [{ PathOnHost: device, PathInContainer: device, CgroupPermissions: 'rw' }];
    const container = await docker.createContainer({
      Image: this.#image,
      Cmd: ['sleep', '20'],
      Labels: runLabels('look'),
      HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'], Devices },
    });
    try {
      await container.start();
      for (const argv of commands) {
        const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true });
        const said = new PassThrough();
        const stream = await exec.start({});
        docker.modem.demuxStream(stream, said, said);
        stream.on('end', () => said.end());
        const words = (await text(said)).trim();
        const { ExitCode } = await exec.inspect();
        if (ExitCode !== 0) return words.split('\n')[0] || `${argv[0]} ended with ${ExitCode}`;
      }
      return undefined;
    } catch (thrown) {
      if (device !== undefined && messageOf(thrown).includes(device)) return `the engine's host has no ${device}`;
      throw thrown;
    } finally {
      await container.remove({ force: true });
    }
  }
}
