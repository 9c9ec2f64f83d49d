/**
 * Axes: where a value lies between 0 (bottom, left) and 1 (top, right), and which values deserve a tick.
 */

export interface Scale {
  /** 0 to 1; values outside are held at the edge. */
  at(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string; readonly major: boolean }[];
}

const inside = (share: number) => Math.min(1, Math.max(0, share));

/** Even from 0 to a round number at or above `highest`, in about `parts` parts. */
export function linear(highest: number, label: (value: number) => string, parts = 4): Scale {
  const step = roundStep((highest > 0 ? highest : 1) / parts);
  const count = Math.max(1, Math.ceil((highest > 0 ? highest : 1) / step - 1e-9));
  return {
    at: (value) => inside(value / (step * count)),
    ticks: Array.from({ length: count + 1 }, (_, i) => ({ value: i * step, label: label(i * step), major: true })),
  };
}

/**
 * Each power of ten the same height, from the 1, 2 or 5 of a power of ten at or below `lowest` to the one at or above `highest`;
 * both above zero. Powers of ten are named.
 */
export function logarithmic(lowest: number, highest: number, label: (value: number) => string): Scale {
  const round = [1, 2, 5]
    .flatMap((factor) => Array.from({ length: 13 }, (_, i) => ({ factor, value: factor * 10 ** (i - 4) })))
    .sort((a, b) => a.value - b.value);
  const from = Math.max(
    0,
    round.findLastIndex(({ value }) => value <= lowest * (1 + 1e-9)),
  );
  const to = Math.max(
    from + 3,
    round.findIndex(({ value }) => value >= highest * (1 - 1e-9)),
  );
  const used = round.slice(from, to + 1);
  const [low, high] = [Math.log10((used[0] as { value: number }).value), Math.log10((used.at(-1) as { value: number }).value)];
  return {
    at: (value) => (value > 0 ? inside((Math.log10(value) - low) / (high - low)) : 0),
    ticks: used.map(({ factor, value }) => ({ value, label: label(value), major: factor === 1 })),
  };
}

const TIME_STEPS_S = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

/** Time from 0 to the end, in steps of which about eight fit; labels in seconds, or in minutes for long runs. */
export function time(durationMs: number): Scale {
  const step = (TIME_STEPS_S.find((seconds) => durationMs / 1_000 / seconds <= 9) ?? 21_600) * 1_000;
  const minutes = step >= 60_000;
  const end = Math.max(1, durationMs);
  return {
    at: (value) => inside(value / end),
    ticks: Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => ({
      value: i * step,
      label: minutes ? `${(i * step) / 60_000} min` : `${(i * step) / 1_000} s`,
      major: i % 2 === 0,
    })),
  };
}

/** 1, 2 or 5 times a power of ten, at or above. */
function roundStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step) + 1e-9);
  return ([1, 2, 5, 10].find((factor) => factor * power >= step - 1e-9) ?? 10) * power;
}
