/**
 * One chart as inline SVG, drawn on the page's shared time axis. It needs no script and fits any width: across, everything is placed in
 * percent; text and strokes keep their size in pixels. Only the curves live in an inner drawing that stretches.
 */
import type { Band, Moment } from './buckets.ts';
import { layOut } from './lanes.ts';
import type { Markup } from './markup.ts';
import { html } from './markup.ts';
import type { Scale } from './scale.ts';
import { time } from './scale.ts';

/** A curve. `look` picks colour and dash pattern together (0 to 7, see style.ts), so that neither is needed alone. */
export interface Line {
  readonly name: string;
  readonly look: number;
  /** One for each point of time; NaN leaves a gap. */
  readonly values: readonly number[];
  /** Shaded down to the axis. */
  readonly filled?: boolean;
}

/** One layer of a stacked area. `look` picks colour and hatch (0 to 6). */
export interface Layer {
  readonly name: string;
  readonly look: number;
  readonly values: readonly number[];
}

export interface Slot {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Limit extends Slot {
  readonly value: number;
  /** Such as 'isolation: 25 ms'. */
  readonly label: string;
}

export interface Chart {
  /** What the picture shows, for those who do not see it. */
  readonly label: string;
  /** Of the plot without axis and labels, pixels. */
  readonly height: number;
  readonly durationMs: number;
  /** The spans that the values belong to. */
  readonly slots: readonly Slot[];
  readonly y: Scale;
  readonly lines: readonly Line[];
  readonly layers?: readonly Layer[];
  /** Promises, drawn across the spans for which they hold. */
  readonly limits?: readonly Limit[];
  readonly bands: readonly Band[];
  readonly moments: readonly Moment[];
  /** Spans in which the generator could not keep its schedule, dotted: what is drawn there counts its own lateness too. */
  readonly starved?: readonly Slot[];
  /** Numbers that show when the pointer rests on a span. */
  readonly tips?: readonly (Slot & { readonly text: string })[];
}

const AXIS = 24;
const LANE = 17;
/** Units across the inner drawing; down, one unit is one pixel. */
const ACROSS = 1_000;

export function chart(spec: Chart): Markup {
  const x = time(spec.durationMs);
  const lanes = layOut(spec.bands, spec.moments, (atMs) => x.at(atMs));
  const top = lanes.count * LANE + 6;
  const bottom = top + spec.height;
  const percent = (atMs: number) => `${round(x.at(atMs) * 100)}%`;
  const y = (value: number) => round(bottom - spec.y.at(value) * spec.height);
  const extent = (fromMs: number, untilMs: number) => `${round((x.at(untilMs) - x.at(fromMs)) * 100)}%`;
  const upright = (kind: string, atMs: number, from: number) =>
    html`<line class="${kind}" x1="${percent(atMs)}" x2="${percent(atMs)}" y1="${from}" y2="${bottom}"/>`;

  const rect = (kind: string, from: number, until: number) =>
    until > from && html`<rect class="${kind}" x="${percent(from)}" width="${extent(from, until)}" y="${top}" height="${spec.height}"/>`;
  const starved = (spec.starved ?? []).map(({ fromMs, untilMs }) => rect('starved', fromMs, untilMs));
  const bands = spec.bands.map((band) => {
    const inForce = band.injectedMs ?? band.endMs;
    const over = Math.max(inForce, band.healingMs ?? band.endMs);
    return [
      rect('edge', band.injectingMs, inForce),
      rect('hatch', inForce, over),
      rect('edge', over, band.endMs),
      band.injectedMs !== undefined && upright('fault-line', band.injectedMs, top),
      band.healedMs !== undefined && upright('fault-line', band.healedMs, top),
    ];
  });

  const rows = spec.y.ticks.map((tick) => [
    html`<line class="${tick.major ? 'grid' : 'grid minor'}" x1="0" x2="100%" y1="${y(tick.value)}" y2="${y(tick.value)}"/>`,
    tick.major && html`<text class="tick" x="-8" y="${y(tick.value) + 4}" text-anchor="end">${tick.label}</text>`,
  ]);
  const hours = x.ticks.map((tick) => [
    html`<line class="grid" x1="${percent(tick.value)}" x2="${percent(tick.value)}" y1="${bottom}" y2="${bottom + 4}"/>`,
    html`<text class="${tick.major ? 'tick' : 'tick wide'}" x="${percent(tick.value)}" y="${bottom + 17}" text-anchor="middle">${tick.label}</text>`,
  ]);

  const moments = spec.moments.map((moment) => upright('moment', moment.atMs, top));
  const labels = lanes.labels.map((label) => {
    const up = LANE * (label.lane + 1);
    const stem = label.kind === 'moment-label' && html`<line class="moment" x1="0" x2="0" y1="3" y2="${up}"/>`;
    return html`<svg class="${label.width}" x="${round(label.at * 100)}%" y="${top - up}" overflow="visible">${stem}<text class="${label.kind}" x="${label.dx}" y="12" text-anchor="${label.anchor}">${label.text}</text></svg>`;
  });
  return html`<svg class="plot" width="100%" height="${bottom + AXIS}" role="img" aria-label="${spec.label}">
${bands}${starved}${rows}
<svg x="0" y="${top}" width="100%" height="${spec.height}" viewBox="0 0 ${ACROSS} ${spec.height}" preserveAspectRatio="none">${layersOf(spec, x)}${curvesOf(spec, x)}</svg>
${(spec.limits ?? []).map((limit) => limitOf(limit, percent, y(limit.value), top))}${moments}${hours}
${labels}
${endLabels(spec, y, top, bottom)}
${(spec.tips ?? []).map((tip) => html`<rect class="tip" x="${percent(tip.fromMs)}" width="${extent(tip.fromMs, tip.untilMs)}" y="${top}" height="${spec.height}"><title>${tip.text}</title></rect>`)}
</svg>`;
}

function limitOf(limit: Limit, percent: (atMs: number) => string, y: number, top: number): Markup {
  // Next to the upper edge there is room only below the line.
  const dy = y - top < 18 ? 14 : -5;
  return html`<line class="limit" x1="${percent(limit.fromMs)}" x2="${percent(limit.untilMs)}" y1="${y}" y2="${y}"/><svg class="wide" x="${percent(limit.fromMs)}" y="${y}" overflow="visible"><text class="limit-label" x="6" y="${dy}">${limit.label}</text></svg>`;
}

/** Curves, broken where there is nothing to show; a point that stands alone becomes a dot. */
function curvesOf(spec: Chart, x: Scale): Markup[] {
  return spec.lines.flatMap((line) => {
    const runs: string[][] = [[]];
    spec.slots.forEach((slot, i) => {
      const value = line.values[i] ?? Number.NaN;
      if (Number.isNaN(value)) {
        runs.push([]);
        return;
      }
      const at = round(x.at((slot.fromMs + slot.untilMs) / 2) * ACROSS);
      runs.at(-1)?.push(`${at} ${round(spec.height - spec.y.at(value) * spec.height)}`);
    });
    const drawn = runs.filter((run) => run.length > 0);
    const path = drawn.map((run) => (run.length > 1 ? `M${run.join('L')}` : `M${run[0]}h0`)).join('');
    const area = drawn.map((run) => `M${run[0]?.split(' ')[0]} ${spec.height}L${run.join('L')}L${run.at(-1)?.split(' ')[0]} ${spec.height}Z`).join('');
    return [...(line.filled ? [html`<path class="area k${line.look}" d="${area}"/>`] : []), html`<path class="line k${line.look}" d="${path}"/>`];
  });
}

/** Layers in steps, each on top of the one before it. */
function layersOf(spec: Chart, x: Scale): Markup[] {
  const base = spec.slots.map(() => 0);
  return (spec.layers ?? []).map((layer) => {
    const edge = (sums: readonly number[]) =>
      spec.slots.map((slot, i) => {
        const height = round(spec.height - spec.y.at(sums[i] ?? 0) * spec.height);
        return [`${round(x.at(slot.fromMs) * ACROSS)} ${height}`, `${round(x.at(slot.untilMs) * ACROSS)} ${height}`];
      });
    const lower = edge(base).flat().reverse();
    for (const [i, value] of layer.values.entries()) base[i] = (base[i] ?? 0) + value;
    return html`<path class="layer" fill="url(#fill-${layer.look})" d="M${edge(base).flat().join('L')}L${lower.join('L')}Z"/>`;
  });
}

/** The name of each curve where it ends, moved apart so that none covers another; a short piece of the curve stands before it. */
function endLabels(spec: Chart, y: (value: number) => number, top: number, bottom: number): Markup[] {
  const apart = 15;
  const ends = spec.lines
    .map((line) => ({ line, at: y(line.values.findLast((value) => !Number.isNaN(value)) ?? Number.NaN) }))
    .filter((end) => !Number.isNaN(end.at))
    .sort((a, b) => a.at - b.at);
  let before = Number.NEGATIVE_INFINITY;
  for (const end of ends) before = end.at = Math.max(end.at, before + apart, top + 2);
  let after = bottom + apart;
  for (const end of ends.toReversed()) after = end.at = Math.min(end.at, after - apart);
  return ends.map(
    ({ line, at }) =>
      html`<svg class="wide" x="100%" y="${round(at)}" overflow="visible">${swatch(line.look, 6, 0)}<text class="end" x="34" y="4">${line.name}</text></svg>`,
  );
}

/** A short piece of a curve, for labels and keys. */
export function swatch(look: number, x: number, y: number): Markup {
  return html`<line class="line k${look}" x1="${x}" x2="${x + 23}" y1="${y}" y2="${y}"/>`;
}

/** One decimal: a tenth of a pixel, or of a thousandth of the width. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
