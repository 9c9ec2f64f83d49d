/**
 * Counts by window and series, without garbage: rows and cells that were given out are used again, and a series takes
 * room in a window only when it had a request there.
 */
import { WINDOW_MS } from '../../timeline/types.ts';

export interface Clearable {
  /** Makes it as if it were new. */
  clear(): void;
}

/** The cells of one window. */
export class Row<Cell extends Clearable> {
  /** By number of the series; undefined where it had no request. */
  readonly cells: (Cell | undefined)[];
  fromMs = Number.NaN;
  untilMs = Number.NaN;
  /** Requests of this window that have not ended. */
  pending = 0;

  constructor(series: number) {
    this.cells = Array.from({ length: series }, () => undefined);
  }

  /** A row that is not in use holds no time. */
  holds(atMs: number): boolean {
    return atMs >= this.fromMs && atMs < this.untilMs;
  }
}

export class Rows<Cell extends Clearable> {
  readonly #series: number;
  readonly #make: () => Cell;
  readonly #rows = new Map<number, Row<Cell>>();
  readonly #spareRows: Row<Cell>[] = [];
  readonly #spareCells: Cell[] = [];
  /** The first window that was not given out. */
  #next = 0;

  constructor(series: number, make: () => Cell) {
    this.#series = series;
    this.#make = make;
  }

  /** A row that holds nothing, to begin with where the last row is kept at hand. */
  none(): Row<Cell> {
    return new Row(0);
  }

  /** The row of the window that this time falls into; made when there is none. */
  at(atMs: number): Row<Cell> {
    // What would come too late is told with the next window, and none is told twice.
    const window = Math.max(this.#next, Math.floor(atMs / WINDOW_MS));
    let row = this.#rows.get(window);
    if (!row) {
      row = this.#spareRows.pop() ?? new Row(this.#series);
      row.fromMs = window * WINDOW_MS;
      row.untilMs = row.fromMs + WINDOW_MS;
      this.#rows.set(window, row);
    }
    return row;
  }

  cellOf(row: Row<Cell>, series: number): Cell {
    return row.cells[series] ?? this.#newCell(row, series);
  }

  /**
   * Gives out the windows that end at or before `beforeMs`, in order, each once, and stops at one with requests that have not ended. Tells of each cell by
   * ascending series, and takes it back: what was told is only lent.
   */
  giveOut(beforeMs: number, tell: (windowMs: number, series: number, cell: Cell) => void): void {
    for (; (this.#next + 1) * WINDOW_MS <= beforeMs && this.#rows.size > 0; this.#next++) {
      const row = this.#rows.get(this.#next);
      if (!row) continue;
      if (row.pending > 0) return;
      for (let series = 0; series < row.cells.length; series++) {
        const cell = row.cells[series];
        if (cell === undefined) continue;
        tell(row.fromMs, series, cell);
        cell.clear();
        this.#spareCells.push(cell);
        row.cells[series] = undefined;
      }
      row.fromMs = Number.NaN;
      row.untilMs = Number.NaN;
      row.pending = 0;
      this.#rows.delete(this.#next);
      this.#spareRows.push(row);
    }
  }

  #newCell(row: Row<Cell>, series: number): Cell {
    const cell = this.#spareCells.pop() ?? this.#make();
    row.cells[series] = cell;
    return cell;
  }
}
