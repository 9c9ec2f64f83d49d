/**
 * The test of the tests: each fault as it is meant to be, and as a saboteur would have it. What a saboteur has done must never count as the fault, so every such step has to end invalid.
 *
 * All faults, three times over, with AFTERSHOCK_SABOTEUR=full (`npm run test:saboteur`); otherwise one for each form of act, once.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEngine } from '../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../cluster/start.ts';
import { Running } from '../run/running.ts';
import { performStep } from '../run/steps.ts';
import type { Finding, Mark } from '../timeline/types.ts';
import { FAULT_KINDS, type Fault, faultKind } from './index.ts';
import { sabotaged } from './sabotage.fixture.ts';
import { CLUSTER, INSTEAD, ROWS, type Row } from './sabotage.rows.fixture.ts';

const FULL = process.env['AFTERSHOCK_SABOTEUR'] === 'full';
/** A proof that holds does so well within this (the control beside each row shows it), so one that has not by then does not. */
const PROOF_LIMIT_MS = 1_500;

/** From the end of its proof to when a fault dies halfway, and to when it is to be healed: long enough for two looks in between. */
const HALFWAY_MS = 800;
const HELD_MS = 2_500;
let cluster: RunningCluster;

beforeAll(async () => {
  const quiet = () => undefined;
  const engine = await connectEngine();
  const runId = `test-${randomBytes(4).toString('hex')}`;
  cluster = await startCluster(CLUSTER, { engine, runId, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } });
});
afterAll(() => cluster?.stop());

/** One step as a run performs it, on some cluster; what the run would have written down. */
async function performed(fault: Fault, on: typeof cluster | ReturnType<typeof sabotaged>['cluster']): Promise<{ invalid: string[]; marks: Mark[] }> {
  const kind = faultKind(fault);
  await kind.ready?.(fault, on);
  const findings: Finding[] = [];
  const marks: Mark[] = [];
  const beganAt = performance.now();
  const now = () => performance.now() - beganAt;
  const step = { atMs: 0, untilMs: kind.provingMs(fault) + HELD_MS, fault, title: kind.describe(fault), targets: ['the target'], affects: [] };
  await performStep(step, 0, {
    cluster: on,
    running: new Running(),
    signal: new AbortController().signal,
    onChange: () => undefined,
    proofLimitMs: PROOF_LIMIT_MS + kind.provingMs(fault),
    log: { now, mark: (mark) => marks.push(mark), finding: (severity, text) => findings.push({ at: now(), severity, text }) },
  });
  return { invalid: findings.filter(({ severity }) => severity === 'invalid').map(({ text }) => text), marks };
}

it('knows every fault', () => {
  expect([...new Set(ROWS.map(({ fault }) => fault.kind))].toSorted()).toEqual(FAULT_KINDS.map(({ kind }) => kind).toSorted());
});

describe.each(Array.from({ length: FULL ? 3 : 1 }, (_, round) => round + 1))('round %i', () => {
  describe.each(ROWS.filter((row) => FULL || row.short).map((row): [string, Row] => [faultKind(row.fault).describe(row.fault), row]))(
    '%s',
    (_, { fault, cells, spoil }) => {
      it('is valid when nobody meddles', async () => {
        const { invalid, marks } = await performed(fault, cluster);
        expect(invalid).toEqual([]);
        expect(marks.map(({ event }) => event)).toEqual(['injecting', 'injected', 'healing', 'healed']);
      });

      it.each(cells)('is invalid when it %s', async (how) => {
        const saboteur = sabotaged(cluster, {
          how,
          instead: INSTEAD,
          halfwayMs: faultKind(fault).provingMs(fault) + HALFWAY_MS,
          ...(spoil[how] && { spoil: spoil[how] }),
        });
        try {
          const { invalid } = await performed(fault, saboteur.cluster);
          // By its proofs, or because it was missed: not because the saboteur tripped over something.
          expect(saboteur.acts()).toBeGreaterThan(0);
          expect(invalid.join('\n')).toMatch(/was not seen to (bite|end): asked|was lost before its time: /);
        } finally {
          await saboteur.release();
        }
      });
    },
  );
});
