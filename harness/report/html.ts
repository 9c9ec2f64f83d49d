/** report.html: one run on one page. Open it in any browser; it is a pure function of the saved plan, report and timeline. */
import { basename } from 'node:path';
import type { Plan, Report } from '../run/types.ts';
import type { Timeline } from '../timeline/types.ts';
import { figure } from './figure.ts';
import { generatorFigure, socketFigure } from './gauges.ts';
import { latencyFigures } from './latency.ts';
import { html } from './markup.ts';
import { page } from './page.ts';
import { sceneOf } from './scene.ts';
import { againSection, cardsSection, clusterSection, environmentSection, proofsSection, scheduleSection, verdictSection } from './sections.ts';
import { errorFigure, goodputFigure, rateFigure } from './traffic.ts';
import { outcomeOf } from './words.ts';

export interface PageInput {
  readonly plan: Plan;
  readonly report: Report;
  readonly timeline: Timeline;
  /** What it ran on, as pairs of words. */
  readonly environment: Readonly<Record<string, string>>;
  /** The folder of the result, for the command that judges it again. Only its name is shown. */
  readonly folder: string;
}

/** The text of report.html. */
export function renderPage({ plan, report, timeline, environment, folder }: PageInput): string {
  const scene = sceneOf(timeline, report, plan.steps);
  const watched = plan.cluster.nodes.filter((node) => node.watchSockets).map((node) => node.name);
  const sockets = socketFigure(scene, watched);
  const figures = [
    ...latencyFigures(scene),
    goodputFigure(scene),
    rateFigure(scene),
    errorFigure(scene),
    ...(sockets ? [sockets] : []),
    generatorFigure(scene),
  ];
  const outcome = outcomeOf(report);
  return page(
    `${outcome.sign} ${outcome.word}: ${report.scenario} · ${report.variant}`,
    html`${verdictSection(report, environment)}
<main>
${cardsSection(report)}
<h2>What happened</h2>
<p>All charts share one time axis, in seconds from the start of the load. Hatched: a fault in force. Grey: it is being put in or taken out.${scene.starved.length > 0 && ' Dotted: the load generator could not keep its own schedule, and what is drawn counts its lateness too.'}${timeline.aborted !== undefined && ` The run was stopped early: ${timeline.aborted}.`} Latency counts from when a request was due, and the failed count until they were given up.</p>
${figures.map(figure)}
${proofsSection(report.marks)}
${scheduleSection(plan)}
${clusterSection(plan)}
${environmentSection(environment, report)}
${againSection(report, `results/${basename(folder)}`)}
</main>`,
  );
}
