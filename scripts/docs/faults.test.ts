/** The pages of the faults are what is made of the source now. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FOLDER, pages } from './faults.ts';
import { openingOf } from './opening.ts';

describe('docs/faults', () => {
  const wanted = pages();

  it('has a page for each fault, an index, and no other', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual([...wanted.keys()].toSorted());
  });

  it.each([...wanted.keys()])("%s is what 'npm run docs:faults' makes of the source", (name) => {
    expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(wanted.get(name));
  });

  it('links to what is there', () => {
    for (const [name, text] of wanted) {
      for (const [, link] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) expect(() => readFileSync(join(FOLDER, link as string)), `${name}: ${link}`).not.toThrow();
    }
  });
});

describe('the opening comment of a fault', () => {
  const comment = (...paragraphs: string[]) => `/**\n * ${paragraphs.join('\n *\n * ')}\n */\n`;
  const whole = ['down: a link refuses.', 'On the wire: a\n * b.', 'It does not: c.', 'Proof: d.'];

  it('is read by its labels', () => {
    const { name, line, labelled } = openingOf(comment(...whole, 'Needs: e.'), 'down.ts');
    expect([name, line]).toEqual(['down', 'a link refuses.']);
    expect([...labelled]).toEqual([
      ['On the wire', 'a b.'],
      ['It does not', 'c.'],
      ['Proof', 'd.'],
      ['Needs', 'e.'],
    ]);
  });

  it.each([
    [whole.slice(0, 3), "has no paragraph 'Proof:'"],
    [['A link refuses.', ...whole.slice(1)], "does not begin with 'name: what it is, in a line.'"],
    [[...whole, 'Beware: of this.'], "begins with none of On the wire, .*: 'Beware: of this"],
    [[...whole, 'Proof: again.'], "has 'Proof' twice"],
  ])('is refused where a label is missing, unknown or there twice', (paragraphs, why) => {
    expect(() => openingOf(comment(...paragraphs), 'down.ts')).toThrow(new RegExp(`^down.ts: .*${why}`));
  });
});
