/** comparison.html: variants of one scenario on one page, their curves over one time axis. */
import { formatMs, formatShare } from '../core/units.ts';
import type { Plan, Report } from '../run/types.ts';
import { affectedShards, requestsOf, shardsAmong, timeToKnowMs } from '../timeline/phases.ts';
import type { Timeline } from '../timeline/types.ts';
import type { Band, Bucket, Moment } from './buckets.ts';
import { bandsOf, buckets, bucketWidthMs, momentsOf } from './buckets.ts';
import { objectiveNames, runNames } from './comparison.ts';
import type { Figure } from './figure.ts';
import { figure } from './figure.ts';
import { latencyScale } from './latency.ts';
import type { Markup } from './markup.ts';
import { html } from './markup.ts';
import { closingSentence } from './moral.ts';
import { page } from './page.ts';
import { linear } from './scale.ts';
import { goodShare } from './traffic.ts';
import { moment, outcomeOf, runCommand, sayingOf } from './words.ts';

export interface Compared {
  readonly plan: Plan;
  readonly report: Report;
  readonly timeline: Timeline;
}

/** The text of comparison.html for two or more runs of one scenario. */
export function comparisonPage(runs: readonly Compared[]): string {
  const reports = runs.map((run) => run.report);
  const names = runNames(reports);
  const first = runs[0]?.plan;
  return page(
    `${first?.scenario ?? ''}: ${names.join(' and ')}`,
    html`<header><p class="eyebrow">Aftershock comparison</p><h1>${first?.scenario} <span>· ${names.join(' and ')}</span></h1><p class="story">${first?.story}</p></header>
${first?.moral !== undefined && html`<p class="moral">${closingSentence(first.moral, reports)}</p>`}
<main>
<h2>Side by side</h2>
${objectivesTable(reports, names)}
<h2>What happened</h2>
<p>All runs share one time axis, in seconds from the start of the load. Hatched: a fault in force${sameSteps(runs) ? `, drawn from the run of ${names[0]}` : ''}. Grey: it is being put in or taken out.</p>
${[goodputs(runs, names), latencies(runs, names)].map(figure)}
<h2>Again</h2>
<pre>${reports.map((report) => `${runCommand(report)}\n`)}</pre>
</main>`,
  );
}

function objectivesTable(reports: readonly Report[], names: readonly string[]): Markup {
  const cells = (name: string) =>
    reports.map((report) => {
      const result = report.results.find((one) => one.name === name);
      if (!result) return html`<td>not judged</td>`;
      const said = sayingOf(result);
      return html`<td class="${said.tone}"><span class="proof">${said.sign} ${said.word}</span> ${result.verdict.measured}<br><span class="role">${said.expectation}</span></td>`;
    });
  const limitOf = (name: string) => reports.flatMap((report) => report.results).find((result) => result.name === name)?.verdict.limit;
  return html`<div class="wide-table" tabindex="0"><table><thead><tr><th scope="col">objective</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${objectiveNames(reports).map((name) => html`<tr><th scope="row">${name}<br><span class="role">${limitOf(name)}</span></th>${cells(name)}</tr>`)}
<tr><th scope="row">the run</th>${reports.map((report) => {
    const { sign, word, tone } = outcomeOf(report);
    return html`<td class="${tone}"><span class="proof">${sign} ${word}</span><br><span class="role">${report.headline}</span></td>`;
  })}</tr></tbody></table></div>`;
}

/** Whether all runs had the same faults planned at the same times: their bands are then drawn once. */
function sameSteps(runs: readonly Compared[]): boolean {
  const told = runs.map(({ plan }) => JSON.stringify(plan.steps.map((step) => [step.title, step.atMs, step.untilMs])));
  return new Set(told).size === 1;
}

function sharedFrame(runs: readonly Compared[], names: readonly string[]): { durationMs: number; bands: Band[]; moments: Moment[] } {
  const bands = runs.map(({ plan, timeline }) => bandsOf(timeline.marks, plan.steps, timeline.durationMs));
  return {
    durationMs: longest(runs),
    bands: sameSteps(runs) ? (bands[0] ?? []) : bands.flatMap((own, i) => own.map((band) => ({ ...band, title: `${band.title} (${names[i]})` }))),
    moments: runs.flatMap(({ report }, i) => momentsOf(report.results).map(({ atMs, label }) => ({ atMs, label: `${names[i]}: ${label}` }))),
  };
}

function longest(runs: readonly Compared[]): number {
  return Math.max(0, ...runs.map((run) => run.timeline.durationMs));
}

/** One curve for each run over the same spans, and the same as a table. */
function sideBySide(
  runs: readonly Compared[],
  names: readonly string[],
  options: { among: 'all requests' | 'healthy shards'; value: (bucket: Bucket) => number; label: (value: number) => string; caption: string },
) {
  const own = (widthMs: number) => runs.map(({ timeline }) => buckets(timeline, widthMs, shardsAmong(timeline, options.among)));
  const longestOf = (all: readonly Bucket[][]) => all.reduce((most, one) => (one.length > most.length ? one : most), []);
  const fine = own(bucketWidthMs(longest(runs)));
  const coarse = own(bucketWidthMs(longest(runs), 120, 1_000));
  const slots = longestOf(coarse);
  const told = (bucket: Bucket | undefined) => (bucket && bucket.due > 0 ? options.label(options.value(bucket)) : 'none');
  return {
    fine,
    picture: {
      ...sharedFrame(runs, names),
      slots: longestOf(fine),
      lines: names.map((name, i) => ({
        name,
        look: LOOK[i % LOOK.length] as number,
        values: (fine[i] ?? []).map((bucket) => (bucket.due > 0 ? options.value(bucket) : Number.NaN)),
      })),
      tips: slots.map((slot, at) => ({
        fromMs: slot.fromMs,
        untilMs: slot.untilMs,
        text: `${moment(slot.fromMs)}: ${names.map((name, i) => `${name} ${told(coarse[i]?.[at])}`).join(', ')}`,
      })),
    },
    numbers: {
      caption: options.caption,
      head: ['from', ...names],
      rows: slots.map((slot, at) => [moment(slot.fromMs), ...names.map((_, i) => told(coarse[i]?.[at]))]),
    },
  };
}

/** The first is what was reported, the others stand against it. */
const LOOK = [3, 0, 1, 4, 5, 7, 6, 2];

function goodputs(runs: readonly Compared[], names: readonly string[]): Figure {
  const { picture, numbers } = sideBySide(runs, names, {
    among: 'all requests',
    value: goodShare,
    label: formatShare,
    caption: 'Goodput: answered correctly within the deadline, counted from when requests were due',
  });
  const during = runs.map(({ timeline }, i) => {
    const { due, good } = requestsOf(timeline, 'during');
    return `${names[i]} ${due > 0 ? formatShare(good / due) : 'none'}`;
  });
  const heading = 'Goodput';
  if (numbers.rows.length === 0) return { heading, summary: 'No run offered a request.', picture: 'Nothing to draw: no run offered a request.' };
  return {
    heading,
    summary: `Answered correctly and in time while the fault was in force: ${during.join(', ')}.`,
    picture: { ...picture, height: 170, y: linear(1, formatShare, 5) },
    numbers,
  };
}

function latencies(runs: readonly Compared[], names: readonly string[]): Figure {
  const split = runs.some(
    ({ timeline }) => affectedShards(timeline).size > 0 && timeline.windows.some((window) => shardsAmong(timeline, 'healthy shards')(window.series.shard)),
  );
  const among = split ? 'healthy shards' : 'all requests';
  const { fine, picture, numbers } = sideBySide(runs, names, {
    among,
    value: (bucket) => bucket.p99Ms,
    label: formatMs,
    caption: `p99 of ${among}, from when a request was due until it was answered or given up`,
  });
  const heading = split ? 'p99 of the healthy shards' : 'p99';
  if (numbers.rows.length === 0) return { heading, summary: 'No run offered a request.', picture: 'Nothing to draw: no run offered a request.' };
  const during = runs.map(({ timeline }, i) => {
    const ms = timeToKnowMs(requestsOf(timeline, 'during', among), 99);
    return `${names[i]} ${ms === undefined ? 'none' : formatMs(ms)}`;
  });
  return {
    heading,
    summary: `While the fault was in force${split ? ', for keys of shards that it does not stand before' : ''}: ${during.join(', ')}.`,
    picture: { ...picture, height: 190, y: latencyScale(fine) },
    numbers,
  };
}
