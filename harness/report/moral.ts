/**
 * The closing sentence of a comparison: a template of the scenario into which measured figures are put. '{eject.goodput}' becomes
 * what the variant `eject` measured for the objective `goodput`.
 */
import { InputError, unknownName } from '../core/errors.ts';
import type { Report } from '../run/types.ts';

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** Throws InputError when a placeholder is not '{variant.objective}', or names something that the scenario does not have. */
export function checkMoral(template: string, variants: readonly string[], objectiveNames: readonly string[]): void {
  const rest = template.replace(PLACEHOLDER, '');
  if (/[{}]/.test(rest))
    throw new InputError(
      `moral: a brace stands alone; write placeholders as '{variant.objective}', such as '{${variants[0] ?? 'variant'}.${objectiveNames[0] ?? 'objective'}}'`,
    );
  for (const [whole, inside] of template.matchAll(PLACEHOLDER)) {
    const name = split(inside as string);
    if (!name)
      throw new InputError(
        `moral: '${whole}' is not a placeholder; write '{variant.objective}', such as '{${variants[0] ?? 'variant'}.${objectiveNames[0] ?? 'objective'}}'`,
      );
    if (!variants.includes(name.variant)) throw unknownName(`variant in the moral's '${whole}':`, name.variant, variants);
    if (!objectiveNames.includes(name.objective)) throw unknownName(`objective in the moral's '${whole}':`, name.objective, objectiveNames);
  }
}

/**
 * The template with figures put in; of a variant that ran several times, the first run's. A variant that did not run, and a run that
 * cannot be judged, say so in the place of the figure: an invalid figure is never told as a fact.
 */
export function closingSentence(template: string, reports: readonly Report[]): string {
  return template.replace(PLACEHOLDER, (whole, inside: string) => {
    const name = split(inside);
    if (!name) return whole;
    const report = reports.find((one) => one.variant === name.variant);
    if (!report) return `(${name.variant} was not run)`;
    if (report.outcome === 'invalid' || report.outcome === 'aborted') return `(${report.outcome === 'invalid' ? 'invalid run' : 'run aborted'})`;
    const result = report.results.find((one) => one.name === name.objective);
    return result ? short(result) : `(${name.objective} was not judged)`;
  });
}

/** A recovery's own words say from which moment it counts; the sentence around the placeholder says that by itself. */
function short({ objective, verdict }: Report['results'][number]): string {
  return objective.kind === 'recovery' ? verdict.measured.replace(` after ${objective.from}`, '') : verdict.measured;
}

/** Variants have no dot in their names. */
function split(inside: string): { variant: string; objective: string } | undefined {
  const match = /^([^.\s]+)\.(\S+)$/.exec(inside.trim());
  return match ? { variant: match[1] as string, objective: match[2] as string } : undefined;
}
