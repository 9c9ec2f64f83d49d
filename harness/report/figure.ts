/**
 * A figure of the page: heading, one sentence of what is to be seen, the chart (or why there is none), and the numbers as a table.
 */

import type { Chart } from './chart.ts';
import { chart, swatch } from './chart.ts';
import type { Markup, Part } from './markup.ts';
import { html } from './markup.ts';
import { glued } from './text.ts';

export interface Numbers {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell of each row names it. */
  readonly rows: readonly (readonly Part[])[];
}

export interface Figure {
  readonly heading: string;
  /** One sentence, computed from the data. */
  readonly summary: string;
  /** A chart, or in one sentence why there is nothing to draw. */
  readonly picture: Omit<Chart, 'label'> | string;
  readonly numbers?: Numbers;
}

export function figure(spec: Figure): Markup {
  const { picture, numbers } = spec;
  return html`<figure>
<figcaption><h3>${spec.heading}</h3><p>${glued(spec.summary)}</p></figcaption>
${typeof picture === 'string' ? html`<p class="empty">${picture}</p>` : [keyOf(picture), html`<div class="chart">${chart({ ...picture, label: `${spec.heading}. ${spec.summary}` })}</div>`]}
${numbers && numbers.rows.length > 0 && html`<details><summary>The numbers</summary><div class="scroll" tabindex="0">${table(numbers)}</div></details>`}
</figure>`;
}

/** Layers are always named above the chart; curves only where there is no room to name them at their ends. */
function keyOf(picture: Omit<Chart, 'label'>): Markup {
  if (picture.lines.length + (picture.layers?.length ?? 0) < 1) return html``;
  return html`<p class="key">${(picture.layers ?? []).map((layer) => html`<span><svg width="24" height="12" aria-hidden="true"><rect width="24" height="12" fill="url(#fill-${layer.look})"/></svg> ${layer.name}</span>`)}${picture.lines.map((line) => html`<span class="narrow"><svg width="27" height="8" aria-hidden="true">${swatch(line.look, 2, 4)}</svg> ${line.name}</span>`)}${(picture.limits ?? []).filter((limit) => limit.label !== '').map((limit) => html`<span class="narrow"><svg width="27" height="8" aria-hidden="true"><line class="limit" x1="2" x2="25" y1="4" y2="4"/></svg> ${limit.label}</span>`)}</p>`;
}

export function table(numbers: Numbers): Markup {
  return html`<table>${numbers.caption !== '' && html`<caption>${numbers.caption}</caption>`}<thead><tr>${numbers.head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${numbers.rows.map((row) => html`<tr>${row.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>`)}</tbody></table>`;
}
