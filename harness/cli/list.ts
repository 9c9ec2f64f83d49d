/** `aftershock list`: the scenarios that come with the project, and their variants. */
import { loadScenario, scenarioFiles } from '../run/scenario.ts';

export async function list(options: { json?: boolean }): Promise<void> {
  const scenarios = await Promise.all([...scenarioFiles().keys()].map((id) => loadScenario(id)));
  if (options.json) {
    const plain = scenarios.map(({ id, story, source, duration, variants }) => ({
      id,
      story,
      source,
      duration,
      variants: Object.entries(variants).map(([name, { title, reported, misses }]) => ({ name, title, reported: reported ?? false, misses: misses ?? [] })),
    }));
    process.stdout.write(`${JSON.stringify(plain, null, 2)}\n`);
    return;
  }
  for (const { id, story, source, variants } of scenarios) {
    process.stdout.write(`${id}\n  ${story}\n${source ? `  source: ${source}\n` : ''}`);
    const width = Math.max(...Object.keys(variants).map((name) => name.length));
    for (const [name, { title, reported, misses }] of Object.entries(variants)) {
      const expected = misses?.length ? `misses ${misses.join(', ')}` : 'meets every promise';
      process.stdout.write(`    ${name.padEnd(width)}  ${title} (${reported ? 'as reported; ' : ''}${expected})\n`);
    }
    process.stdout.write('\n');
  }
}
