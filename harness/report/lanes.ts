/**
 * Where the labels of faults and moments stand above a chart: in lanes, so that none covers another and no line runs through one. A
 * page is wide or narrow, and nothing can be measured while it is written, so that labels are laid out twice and the style
 * sheet shows one of the two.
 */
import type { Band, Moment } from './buckets.ts';
import { fitted } from './text.ts';
import { moment as clock } from './words.ts';

export interface Label {
  /** Which of the two layouts it belongs to. */
  readonly width: 'wide' | 'narrow';
  readonly kind: 'fault-label' | 'moment-label';
  readonly text: string;
  /** 0 to 1 along the axis, and pixels from there. */
  readonly at: number;
  readonly dx: number;
  readonly anchor: 'start' | 'end';
  /** 0 is next to the plot. */
  readonly lane: number;
}

export interface Lanes {
  readonly count: number;
  readonly labels: readonly Label[];
}

/** Plot widths in pixels that are laid out for: a page at its full width, and a phone's. Bold letters of 11.5 pixels take 6.6. */
const LAYOUTS = { wide: 860, narrow: 270 } as const;
const LETTER = 6.6;
const MOST_LANES = 4;
/** Four lanes and two sides for each of eight labels are 8^8 layouts; the first thousands tried hold one that is good enough. */
const MOST_TRIES = 5_000;

interface Item {
  readonly kind: Label['kind'];
  readonly at: number;
  readonly text: string;
}

/** A label in its place: what it covers in its lane, and the line of a moment, which passes through all lanes below. */
interface Placed extends Label {
  readonly from: number;
  readonly until: number;
  readonly line: number | undefined;
}

export function layOut(bands: readonly Band[], moments: readonly Moment[], at: (ms: number) => number): Lanes {
  const labels = (['wide', 'narrow'] as const).flatMap((width) => {
    const isWide = width === 'wide';
    const items: Item[] = [
      ...bands.map((band, i) => ({
        kind: 'fault-label' as const,
        at: at(band.injectingMs),
        text: isWide ? `fault: ${band.title}` : bands.length > 1 ? `fault ${i + 1}` : 'fault',
      })),
      ...moments.map((moment) => ({
        kind: 'moment-label' as const,
        at: at(moment.atMs),
        text: isWide ? `${moment.label}, ${clock(moment.atMs)}` : fitted(moment.label, 24),
      })),
    ];
    return place(items, width);
  });
  return { count: Math.max(0, ...labels.map((label) => label.lane + 1)), labels };
}

/** In as few lanes as go without any crossing; where four do not suffice, lines may run through labels, and what then finds no room is left out. */
function place(items: readonly Item[], width: Label['width']): Label[] {
  for (let lanes = 1; lanes <= MOST_LANES; lanes++) {
    const found = search(items, width, lanes);
    if (found) return found;
  }
  const placed: Placed[] = [];
  for (const item of items) {
    const fit = choices(item, width, MOST_LANES).find((choice) => placed.every((other) => !covers(choice, other)));
    if (fit) placed.push(fit);
  }
  return placed;
}

function search(items: readonly Item[], width: Label['width'], lanes: number): Label[] | undefined {
  let tries = 0;
  const placed: Placed[] = [];
  const next = (index: number): boolean => {
    const item = items[index];
    if (!item) return true;
    for (const choice of choices(item, width, lanes)) {
      if (++tries > MOST_TRIES) return false;
      if (placed.some((other) => covers(choice, other) || crosses(choice, other) || crosses(other, choice))) continue;
      placed.push(choice);
      if (next(index + 1)) return true;
      placed.pop();
    }
    return false;
  };
  return next(0) ? placed : undefined;
}

/** Every lane, to the right of its place and to the left of it. A label that fits on neither side is pushed in from the edge. */
function choices(item: Item, width: Label['width'], lanes: number): Placed[] {
  const room = LAYOUTS[width];
  const text = fitted(item.text, Math.floor(room / LETTER) - 2);
  const length = text.length * LETTER + 10;
  const x = item.at * room;
  const sides = (['start', 'end'] as const).filter((anchor) => (anchor === 'start' ? x + length <= room : x - length >= 0));
  // A fault's label begins where the fault begins, over its hatch, wherever there is room.
  const anchors = sides.length === 0 ? (['end'] as const) : item.kind === 'fault-label' ? sides.slice(0, 1) : sides;
  return Array.from({ length: lanes }, (_, lane) => lane).flatMap((lane) =>
    anchors.map((anchor): Placed => {
      const shift = sides.length > 0 ? 0 : Math.max(0, length - x);
      const from = (anchor === 'start' ? x : x - length) + shift;
      return {
        width,
        kind: item.kind,
        text,
        at: item.at,
        dx: (anchor === 'start' ? 5 : -5) + shift,
        anchor,
        lane,
        from,
        until: from + length,
        line: item.kind === 'moment-label' ? x : undefined,
      };
    }),
  );
}

function covers(a: Placed, b: Placed): boolean {
  return a.lane === b.lane && a.from < b.until && b.from < a.until;
}

/** Whether the line of `a` runs through the label of `b`. */
function crosses(a: Placed, b: Placed): boolean {
  return a.line !== undefined && a.lane > b.lane && a.line > b.from && a.line < b.until;
}
