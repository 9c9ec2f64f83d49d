/** The parts of the report page that are words and tables: verdict, cards, proofs, schedule, cluster, environment, commands. */
import { formatFactor, formatMs, formatShare } from '../core/units.ts';
import type { JudgedExpectation, Plan, Report } from '../run/types.ts';
import { type Mark, PROVEN_EVENTS } from '../timeline/types.ts';
import { table } from './figure.ts';
import type { Markup, Part } from './markup.ts';
import { html } from './markup.ts';
import { sourceOf } from './page.ts';
import { glued } from './text.ts';
import { counted, moment, outcomeOf, runCommand, sayingOf, span, tallyOf } from './words.ts';

/** The verdict in one sentence, and why a run cannot be judged. */
export function verdictSection(report: Report, environment: Readonly<Record<string, string>>): Markup {
  const outcome = outcomeOf(report);
  const { totals } = report;
  const failed = Object.values(totals.failed).reduce((all, count) => all + count, 0);
  const facts: [string, string][] = [
    ['Objectives', tallyOf(report)],
    ['Load', span(totals.durationMs)],
    ['Requests', counted(totals.due)],
    ['In time', totals.due > 0 ? formatShare(totals.good / totals.due) : 'none'],
    ['Failed', counted(failed)],
    ['Seed', String(report.seed)],
    ...(environment['date'] === undefined ? [] : [['Run at', environment['date'].replace('T', ' ').replace(/\.\d+Z$/, ' UTC')] as [string, string]]),
    ...(report.tags.length > 0 ? [['Tags', report.tags.join(', ')] as [string, string]] : []),
  ];
  return html`<header>
<p class="eyebrow">Aftershock report</p>
<h1>${report.scenario} <span>· ${report.variant}</span></h1>
<p class="story">${report.story}</p>
</header>
<section class="verdict ${outcome.tone}" aria-label="Verdict"><div class="sign" aria-hidden="true">${outcome.sign}</div><div>
<p class="word">${sentence(outcome.word)}</p>
<p class="headline">${glued(report.headline)}</p>
${report.reasons.length > 0 && html`<ul>${report.reasons.map((reason) => html`<li>${glued(reason)}</li>`)}</ul>`}
</div></section>
<dl class="facts">${facts.filter(([, value]) => value !== '').map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** One card for each promise and symptom. */
export function cardsSection(report: Report): Markup {
  const isUnclear = outcomeOf(report).tone === 'unclear';
  return html`<h2>What was promised, what was measured</h2>${isUnclear && html`<p>The run cannot be judged: the signs below say what the timeline shows, and none of them counts.</p>`}
<div class="cards">${report.results.map(card)}</div>
${report.notes.length > 0 && html`<h2>Notes</h2><ul>${report.notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
}

function card(result: JudgedExpectation): Markup {
  const said = sayingOf(result);
  const { verdict } = result;
  const figures = Object.entries(verdict.figures);
  const evidence = evidenceOf(verdict.figures);
  return html`<article class="card ${said.tone}">
<header><span class="word">${said.sign} ${said.expectation.startsWith(said.word) ? said.expectation : `${said.word}, ${said.expectation}`}</span><span class="role">${result.role}</span></header>
<h3>${result.name}</h3>
<p class="measured${verdict.measured.length > 22 ? ' long' : ''}">${glued(verdict.measured)}</p>
<p class="limit">${result.role === 'symptom' ? 'Reported' : 'Promised'}: <b>${glued(verdict.limit)}</b></p>
${evidence !== '' && html`<p class="because">${glued(evidence)}</p>`}
${verdict.because !== undefined && html`<p class="because">${glued(sentence(verdict.because))}</p>`}
${figures.length > 0 && html`<details><summary>Figures</summary><dl>${figures.map(([key, value]) => html`<dt>${keyInWords(key)}</dt><dd>${figureInWords(key, value)}</dd>`)}</dl></details>`}
</article>`;
}

/** '5,988 samples, margin 21 ms': how much it rests on, and how close it was. */
function evidenceOf({ samples, marginMs, marginShare }: Readonly<Record<string, number>>): string {
  const margin = marginMs ?? marginShare;
  const size = marginMs !== undefined ? formatMs(Math.abs(marginMs)) : marginShare !== undefined ? formatShare(Math.abs(marginShare)) : '';
  const parts = [
    samples === undefined ? '' : `${counted(samples)} samples`,
    margin === undefined ? '' : margin >= 0 ? `margin ${size}` : `beyond the limit by ${size}`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

/** 'baselineMs' to 'baseline': the unit moves to the value. */
function keyInWords(key: string): string {
  return key
    .replace(/(?<=.)(Ms|Share|Factor)$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

function figureInWords(key: string, value: number): string {
  if (/(Ms|^ms)$/.test(key)) return formatMs(value);
  if (/share$/i.test(key)) return formatShare(value);
  if (/factor$/i.test(key)) return formatFactor(value);
  return Number.isInteger(value) ? counted(value) : String(Number(value.toPrecision(4)));
}

/** What a probe saw of each fault, apart from the load. */
export function proofsSection(marks: readonly Mark[]): Markup {
  const proven = marks.filter((mark) => PROVEN_EVENTS.includes(mark.event));
  const rows = proven.map((mark) => {
    const [tone, sign, word] = mark.proof?.holds ? ['good', '✓', 'proven'] : ['unclear', '?', mark.proof ? 'not proven' : 'no probe'];
    return html`<tr><th scope="row">${whole(mark.fault)}</th><td>${whole(mark.target)}</td><td class="nowrap">${mark.event} ${moment(mark.at)}</td><td class="proof ${tone}">${sign} ${word}</td><td>${mark.proof?.asked ?? ''}</td><td>${mark.proof?.measured ?? 'nothing'}</td><td class="nowrap">${mark.provenAt === undefined ? '' : moment(mark.provenAt)}</td></tr>`;
  });
  return html`<h2>What the probes saw of the faults</h2><p>Probes are apart from the load. A fault counts from when it had taken effect, and a run whose faults are not proven cannot be judged.</p>
${rows.length === 0 ? html`<p class="empty">No fault was injected.</p>` : html`<div class="wide-table" tabindex="0"><table><thead><tr>${['fault', 'target', 'event', 'proof', 'asked', 'measured', 'seen at'].map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`}`;
}

export function scheduleSection(plan: Plan): Markup {
  const steps = plan.steps.map((step, i) => [
    String(i + 1),
    step.trigger ? `on ${step.trigger.title}, by ${moment(step.trigger.byMs)}` : `${moment(step.atMs)} to ${moment(step.untilMs)}`,
    whole([step.title, ...(step.stages ?? []).map((stage) => stage.title)].join(', then ')),
    whole(step.targets.join(', ')),
    step.affects.join(', ') || 'none',
  ]);
  const load = plan.load.map((one) => [one.name, one.node, one.title, `${counted(one.ratePerSecond)}/s`, counted(one.connections)]);
  return html`<h2>What was planned</h2>
${steps.length === 0 ? html`<p class="empty">No fault was planned: the load ran alone.</p>` : tableOf('Faults; times count from the start of the load', ['step', 'when', 'fault', 'acts on', 'shards behind it'], steps)}
${tableOf('Load', ['name', 'from', 'what', 'rate', 'connections'], load)}`;
}

/** Tiers of nodes in the order of the plan, those that a fault acted on or stood before marked in words. */
export function clusterSection(plan: Plan): Markup {
  const { nodes, links, title } = plan.cluster;
  const targets = new Set(plan.steps.flatMap((step) => step.targets));
  const affected = new Set(plan.steps.flatMap((step) => step.affects));
  const roles = [...new Set(nodes.map((node) => node.role))];
  const tier = (role: string, i: number): Part => [
    i > 0 && html`<span class="arrow" aria-hidden="true">→</span>`,
    html`<div class="tier"><h3>${role}</h3><ul>${nodes
      .filter((node) => node.role === role)
      .map((node) => {
        const hit = targets.has(node.name) ? 'fault acts here' : affected.has(node.name) ? 'behind a fault' : undefined;
        return html`<li${hit !== undefined && html` class="hit"`}>${node.name}${hit !== undefined && html` <b>${hit}</b>`}</li>`;
      })}</ul></div>`,
  ];
  return html`<h2>The cluster</h2><p>${title}${plan.scale !== undefined && `. ${plan.scale}`}</p>
<div class="map">${roles.map(tier)}</div>
<details><summary>${nodes.length} nodes, ${links.length} links</summary>
${tableOf(
  'Nodes',
  ['name', 'role', 'image', 'port', 'memory limit'],
  nodes.map((node) => [node.name, node.role, node.image, node.port === undefined ? 'none' : String(node.port), `${node.memoryMiB} MiB`]),
)}
${tableOf(
  'Links that can be disturbed',
  ['link', 'port', 'fault'],
  links.map((link) => [whole(`${link.from} -> ${link.to}`), String(link.port), targets.has(`${link.from} -> ${link.to}`) ? 'acts here' : 'none']),
)}
</details>`;
}

export function environmentSection(environment: Readonly<Record<string, string>>, report: Report): Markup {
  const { generator } = report;
  const rows = [
    ...Object.entries(environment),
    [
      'load generator',
      `${counted(generator.late)} requests looked at late, p99 ${formatMs(generator.p99LatenessMs)}, at most ${formatMs(generator.maxLatenessMs)}; event loop stood ${formatMs(generator.maxLoopDelayMs)} at most`,
    ],
  ];
  return html`<h2>Where it ran</h2><div class="pairs">${tableOf('', ['what', 'value'], rows)}</div>`;
}

/** `result`: the folder of the result, as one types it. */
export function againSection(report: Report, result: string): Markup {
  return html`<h2>Again</h2><p>The same seed gives the same schedule. A recheck needs no container: it judges the saved files again.</p>
<pre>${runCommand(report)}
npx aftershock recheck ${result}</pre>
${report.source !== undefined && html`<p class="story">The public account: ${sourceOf(report.source)}</p>`}`;
}

/** The text, in which no line ends within the name of a link. */
function whole(text: string): Part {
  return text.split(/(\S+ -> [^\s,]+)/).map((part, i) => (i % 2 === 1 ? html`<span class="nowrap">${part}</span>` : part));
}

function tableOf(caption: string, head: readonly string[], rows: readonly (readonly Part[])[]): Part {
  return rows.length > 0 && html`<div class="wide-table" tabindex="0">${table({ caption, head, rows })}</div>`;
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
