import { describe, expect, it } from 'vitest';
import type { Engine } from '../cluster/engine.ts';
import { faultChecks, judgeEngine, type Seen } from './doctor.ts';

const engine = {
  name: 'Docker',
  version: '28.0.0',
  apiVersion: '1.48',
  cpus: 4,
  memoryBytes: 8 * 2 ** 30,
  cgroupVersion: '2',
  rootless: false,
  storageDriver: 'overlay2',
  operatingSystem: 'Debian',
  kernel: '6.1.0',
  architecture: 'amd64',
  local: true,
  address: { url: 'unix:///var/run/docker.sock' },
} as unknown as Engine;

const well: Seen = {
  engine,
  images: [{ tag: 'aftershock/node:24', state: 'ready', origin: 'built from containers/node', id: 'sha256:1', sizeBytes: 249e6 }],
  room: { memoryMiB: 8192, networksUsed: 1, networksLeft: 30 },
  remains: [],
  inside: { descriptors: 20_000, sameKernel: true },
};

const checkOf = (seen: Partial<Seen>, name: string) => judgeEngine({ ...well, ...seen }).find((check) => check.name.startsWith(name));

describe('the doctor', () => {
  it('finds a well engine well', () => {
    expect(judgeEngine(well).filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checkOf({}, 'image')?.text).toBe('built from containers/node, 249 MB');
  });

  it('finds a missing image lacking, and an outdated one worth a note', () => {
    expect(checkOf({ images: [{ tag: 'aftershock/node:24', state: 'missing' }] }, 'image')).toMatchObject({
      status: 'lacking',
      text: 'missing; type: npm run setup',
    });
    expect(checkOf({ images: [{ tag: 'aftershock/node:24', state: 'stale' }] }, 'image')).toMatchObject({ status: 'note' });
    expect(checkOf({ images: [{ tag: 'aftershock/k6:1.8.1', state: 'missing', onDemand: true }] }, 'image')).toMatchObject({
      status: 'note',
      text: 'missing; only some scenarios need it; type: npm run setup -- k6',
    });
  });

  it('finds an engine without room for a network lacking', () => {
    expect(checkOf({ room: { memoryMiB: 8192, networksUsed: 31, networksLeft: 0 } }, 'networks')).toMatchObject({ status: 'lacking' });
  });

  it('notes one CPU, few descriptors, and memory limits that do not hold', () => {
    expect(checkOf({ engine: { ...engine, cpus: 1 } }, 'size')).toMatchObject({ status: 'note' });
    expect(checkOf({ inside: { descriptors: 1_024, sameKernel: true } }, 'descriptors')).toMatchObject({ status: 'note' });
    expect(checkOf({ engine: { ...engine, rootless: true, cgroupVersion: '1' } }, 'isolation')).toMatchObject({ status: 'note' });
  });

  it('counts what dead runs left, and leaves runs alone that are going on', () => {
    const left = { containers: [{ id: '1', name: 'a' }], networks: [{ id: '2', name: 'b' }], held: [] };
    expect(checkOf({ remains: [{ runId: 'x', alive: true, kept: false, ...left }] }, 'leftovers')).toMatchObject({
      status: 'ok',
      text: 'none of earlier runs; 1 going on',
    });
    expect(checkOf({ remains: [{ runId: 'x', alive: false, kept: false, ...left }] }, 'leftovers')).toMatchObject({
      status: 'note',
      text: '1 dead run left 1 container and 1 network (0 going on); type: npx aftershock clean',
    });
  });

  it('names what a dead run still holds', () => {
    const left = { containers: [{ id: '1', name: 'mc-1' }], networks: [], held: ['mc-1'] };
    expect(checkOf({ remains: [{ runId: 'x', alive: false, kept: false, ...left }] }, 'leftovers')?.text).toBe(
      '1 dead run left 1 container and 0 networks, of which mc-1 is still paused or limited by a fault (0 going on); type: npx aftershock clean',
    );
  });

  it('tells what was left standing on purpose from what was left behind', () => {
    const left = { runId: 'x', alive: false, kept: true, containers: [{ id: '1', name: 'mc-1' }], networks: [] };
    const remains = [{ ...left, held: [] }];
    expect(checkOf({ remains }, 'leftovers')).toMatchObject({ status: 'ok', text: 'none of earlier runs; 0 going on' });
    expect(checkOf({ remains }, 'standing')).toMatchObject({ status: 'ok', text: '1 cluster left standing on purpose: x' });
    expect(checkOf({ remains: [{ ...left, held: ['mc-1'] }] }, 'standing')).toMatchObject({
      status: 'note',
      text: '1 cluster left standing on purpose: x, of which mc-1 is still paused or limited by a fault; type: npx aftershock down',
    });
  });

  it('lists the faults of each family, and each that cannot be done with its reason', () => {
    expect(
      faultChecks([
        { fault: 'a', family: 'link', lacks: undefined },
        { fault: 'b', family: 'link', lacks: 'the kernel has no sch_netem' },
        { fault: 'c', family: 'link', lacks: undefined },
        { fault: 'd', family: 'clock', lacks: 'no libfaketime' },
      ]),
    ).toEqual([
      { name: 'faults: link', status: 'ok', text: 'a, c' },
      { name: 'fault b', status: 'note', text: 'cannot be done here: the kernel has no sch_netem' },
      { name: 'fault d', status: 'note', text: 'cannot be done here: no libfaketime' },
    ]);
  });
});
