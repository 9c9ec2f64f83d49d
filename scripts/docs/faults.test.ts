/** The pages of the faults are what is made of the source now. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FOLDER, pages } from './faults.ts';
import { openingOf } from './opening.ts';

const wanted = pages();

describe('docs/faults', () => {
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
  const whole = ['down: a link refuses.', 'On the wire: a\n * b.', 'It does not: c.', 'Proof: d.', 'Needs: e.'];

  it('is read by its labels', () => {
    const { name, line, labelled } = openingOf(comment(...whole), 'down.ts');
    expect([name, line]).toEqual(['down', 'a link refuses.']);
    expect([...labelled]).toEqual([
      ['On the wire', 'a b.'],
      ['It does not', 'c.'],
      ['Proof', 'd.'],
      ['Needs', 'e.'],
    ]);
  });

  it.each(['On the wire', 'It does not', 'Proof', 'Needs'])("is refused without '%s', by file and label", (label) => {
    const others = whole.filter((paragraph) => !paragraph.startsWith(label));
    expect(() => openingOf(comment(...others), 'down.ts')).toThrow(new Error(`down.ts: its opening comment has no paragraph '${label}:'`));
  });

  it('need not say how it ends by itself: then its page says what holds for all', () => {
    const pauses = wanted.get('pause.md');
    const refuses = wanted.get('down.md');
    expect(pauses).toContain('**Ends by itself**: a freezer when the reaper resumes it');
    expect(refuses).toContain('**Ends by itself**: within ten seconds of the death of its run');
  });

  it.each([
    [['A link refuses.', ...whole.slice(1)], "does not begin with 'name: what it is, in a line.'"],
    [[...whole, 'Beware: of this.'], "begins with none of On the wire, .*: 'Beware: of this"],
    [[...whole, 'Proof: again.'], "has 'Proof' twice"],
  ])('is refused where its name is missing, or a label unknown or there twice', (paragraphs, why) => {
    expect(() => openingOf(comment(...paragraphs), 'down.ts')).toThrow(new RegExp(`^down.ts: .*${why}`));
  });
});
