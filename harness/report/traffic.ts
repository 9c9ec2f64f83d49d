/** The pictures of what became of requests: goodput, how many a second, and the failures by kind. */
import { formatShare } from '../core/units.ts';
import { requestsOf } from '../timeline/phases.ts';
import type { Bucket } from './buckets.ts';
import { buckets, errorsOf } from './buckets.ts';
import type { Limit } from './chart.ts';
import type { Figure } from './figure.ts';
import { linear } from './scale.ts';
import type { Scene } from './scene.ts';
import { across, frame, NOTHING_DUE, sum, tips, told } from './scene.ts';
import { counted, moment } from './words.ts';

/** Not a number where nothing was due. */
export const goodShare = (bucket: Bucket) => (bucket.due > 0 ? bucket.good / bucket.due : Number.NaN);

export function goodputFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Goodput';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  if (fine.every((bucket) => bucket.due === 0)) return { heading, summary: 'No request was due.', picture: NOTHING_DUE };
  const shares = told(timeline, (phase) => {
    const { due, good } = requestsOf(timeline, phase);
    return due > 0 ? formatShare(good / due) : undefined;
  });
  const worst = coarse.filter((bucket) => bucket.due > 0).reduce((low, bucket) => (goodShare(bucket) < goodShare(low) ? bucket : low));
  const low = goodShare(worst) < 1 ? `; at its lowest ${formatShare(goodShare(worst))}, from ${moment(worst.fromMs)}` : '';
  return {
    heading,
    summary: `Answered correctly and in time, of all that was due: ${shares}${low}.`,
    picture: {
      ...frame(scene),
      height: 130,
      slots: fine,
      y: linear(1, formatShare, 5),
      limits: goodputLimits(scene),
      lines: [{ name: 'goodput', look: 0, values: fine.map(goodShare), filled: true }],
      tips: tips(coarse, (bucket) => `goodput ${formatShare(goodShare(bucket))}: ${counted(bucket.good)} of ${counted(bucket.due)}`),
    },
    numbers: {
      caption: 'Goodput: answered correctly within the deadline, counted from when requests were due',
      head: ['from', 'due', 'in time', 'goodput'],
      rows: coarse.map((bucket) => [
        moment(bucket.fromMs),
        counted(bucket.due),
        counted(bucket.good),
        bucket.due > 0 ? formatShare(goodShare(bucket)) : 'none',
      ]),
    },
  };
}

export function rateFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Requests a second';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  const due = sum(fine, (bucket) => bucket.due);
  if (due === 0) return { heading, summary: 'No request was due.', picture: NOTHING_DUE };
  const rate = (bucket: Bucket, count: number) => (count * 1_000) / (bucket.untilMs - bucket.fromMs);
  const rates = (of: (bucket: Bucket) => number) => fine.map((bucket) => rate(bucket, of(bucket)));
  const highest = Math.max(...rates((bucket) => bucket.due));
  return {
    heading,
    summary: `Offered ${counted(due)} requests, ${counted((due * 1_000) / timeline.durationMs)} a second: ${counted(sum(fine, (bucket) => bucket.answered))} were answered, ${counted(sum(fine, (bucket) => bucket.failed))} failed. Each counts when it was due.`,
    picture: {
      ...frame(scene),
      height: 130,
      slots: fine,
      y: linear(highest, counted),
      lines: [
        { name: 'offered', look: 6, values: rates((bucket) => bucket.due) },
        { name: 'answered', look: 0, values: rates((bucket) => bucket.answered) },
        { name: 'failed', look: 3, values: rates((bucket) => bucket.failed) },
      ],
      tips: tips(
        coarse,
        (bucket) =>
          `${counted(rate(bucket, bucket.due))}/s offered, ${counted(rate(bucket, bucket.answered))}/s answered, ${counted(rate(bucket, bucket.failed))}/s failed`,
      ),
    },
    numbers: {
      caption: 'Requests by when they were due',
      head: ['from', 'offered', 'answered', 'of them in time', 'failed'],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), counted(bucket.due), counted(bucket.answered), counted(bucket.good), counted(bucket.failed)]),
    },
  };
}

export function errorFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Failures by kind';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  const totals = Object.entries(errorsOf(timeline.windows));
  if (totals.length === 0) return { heading, summary: 'No request failed.', picture: 'Nothing to draw: no request failed.' };
  const kinds = totals.map(([kind]) => kind as keyof Bucket['errors']);
  const rate = (bucket: Bucket, kind: keyof Bucket['errors']) => ((bucket.errors[kind] ?? 0) * 1_000) / (bucket.untilMs - bucket.fromMs);
  const highest = Math.max(...fine.map((bucket) => sum(kinds, (kind) => rate(bucket, kind))));
  return {
    heading,
    summary: `${counted(sum(totals, ([, count]) => count))} requests failed: ${totals.map(([kind, count]) => `${counted(count)} ${kind}`).join(', ')}. Each counts a second, stacked, when it was due.`,
    picture: {
      ...frame(scene),
      height: 110,
      slots: fine,
      y: linear(highest, counted),
      lines: [],
      layers: kinds.map((kind, look) => ({ name: kind, look, values: fine.map((bucket) => rate(bucket, kind)) })),
      tips: tips(coarse, (bucket) => kinds.map((kind) => `${counted(bucket.errors[kind] ?? 0)} ${kind}`).join(', ')),
    },
    numbers: {
      caption: 'Failed requests by kind, by when they were due',
      head: ['from', ...kinds],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), ...kinds.map((kind) => counted(bucket.errors[kind] ?? 0))]),
    },
  };
}

function goodputLimits({ results, timeline }: Scene): Limit[] {
  return results.flatMap(({ name, objective, verdict }) => {
    const { limitShare } = verdict.figures;
    if (objective.kind !== 'goodput' || limitShare === undefined) return [];
    return across(timeline, objective.when, objective.grace, { value: limitShare, label: `${name}: at least ${formatShare(limitShare)}` });
  });
}
