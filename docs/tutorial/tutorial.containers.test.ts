/** The tutorial, done as it says: each step's file is written down and its command is run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { aftershock, temporaryFolder } from '../../harness/cli/spawned.fixture.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const steps = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.md'))
  .toSorted()
  .map((name) => ({ name, text: readFileSync(join(import.meta.dirname, name), 'utf8') }));

/** The one block of a kind in a step. */
function block(text: string, pattern: RegExp): string {
  const found = [...text.matchAll(pattern)].map((match) => match[1] as string);
  expect(found).toHaveLength(1);
  return found[0] as string;
}

describe('the tutorial', () => {
  it('has five steps', () => {
    expect(steps.map(({ name }) => name[0])).toEqual(['1', '2', '3', '4', '5']);
  });

  it.each(steps)('$name does what it says', async ({ text }) => {
    const file = folder.file('my-outage.ts', block(text, /```ts\n(.*?)```/gs));
    const command = block(text, /```sh\nnpx aftershock (.*?)\n```/gs)
      .replace('my-outage.ts', file)
      .split(' ');
    const [, code, phrases] = /<!-- exit (\d): (.*) -->/.exec(text) as unknown as [string, string, string];
    const out = command[0] === 'run' ? ['--out', join(folder.path, 'results')] : [];
    const finished = await aftershock([...command, ...out]).finished;
    for (const phrase of phrases.split('|')) expect(finished.stdout).toMatch(new RegExp(phrase));
    expect(finished.code, finished.stderr).toBe(Number(code));
  });
});
