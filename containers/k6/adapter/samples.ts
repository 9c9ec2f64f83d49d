/**
 * k6's samples, as it writes them with `--out csv=-`: a line each, of which a request makes a dozen. Only those that tell what became of an
 * iteration are read.
 *
 * A field that holds a comma, a quote or the end of a line stands in quotes, and such a field may go on in the next line.
 */

/** Times are of k6's wall clock, ms. */
export type Sample =
  /** A request has ended. `status` is 0 without an answer; `code` is k6's error code, 0 without an error. */
  | {
      readonly kind: 'request';
      readonly vu: number;
      readonly endMs: number;
      readonly tookMs: number;
      readonly status: number;
      readonly code: number;
      readonly error: string;
      readonly operation?: string;
    }
  /** The last request of this VU opened a connection. */
  | { readonly kind: 'connect'; readonly vu: number }
  /** A check of the script did not hold. */
  | { readonly kind: 'unchecked'; readonly vu: number; readonly check: string }
  /** The script's function has returned, or has thrown. */
  | { readonly kind: 'iteration'; readonly vu: number; readonly endMs: number; readonly tookMs: number }
  /** No VU was free when an iteration was due. */
  | { readonly kind: 'dropped'; readonly atMs: number };

const READ = ['http_req_duration,', 'http_req_connecting,', 'iteration_duration,', 'dropped_iterations,', 'checks,'] as const;

export class SampleReader {
  readonly #scenario: string;
  readonly #told: (sample: Sample) => void;
  #columns: ReadonlyMap<string, number> | undefined;
  #rest = '';

  /** Samples of other scenarios, and of k6's `setup`, are left out. */
  constructor(scenario: string, told: (sample: Sample) => void) {
    this.#scenario = scenario;
    this.#told = told;
  }

  /** Takes the next piece of k6's output. Throws when it is none of k6's. */
  read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() as string;
    for (let index = 0; index < lines.length; index++) {
      let line = lines[index] as string;
      if (this.#columns && !READ.some((name) => line.startsWith(name))) continue;
      while (isOpen(line)) {
        index++;
        const next = lines[index];
        if (next === undefined) {
          // The rest of the field is still to come.
          this.#rest = `${line}\n${this.#rest}`;
          return;
        }
        line += `\n${next}`;
      }
      this.#line(line);
    }
  }

  #line(line: string): void {
    const fields = fieldsOf(line);
    if (!this.#columns) {
      this.#columns = new Map(fields.map((name, column) => [name, column]));
      const missing = ['metric_name', 'timestamp', 'metric_value', 'scenario', 'error_code', 'metadata'].find((name) => !this.#columns?.has(name));
      if (missing !== undefined) throw new Error(`k6 wrote no column '${missing}': '${line.slice(0, 100)}'`);
      return;
    }
    const columns = this.#columns;
    const field = (name: string) => fields[columns.get(name) ?? -1] ?? '';
    if (field('scenario') !== this.#scenario) return;
    const atMs = Number(field('timestamp')) / 1_000;
    const value = Number(field('metric_value'));
    if (!Number.isFinite(atMs) || !Number.isFinite(value)) throw new Error(`k6 wrote a sample that cannot be read: '${line.slice(0, 100)}'`);
    const sample = sampleOf(field, atMs, value);
    if (sample) this.#told(sample);
  }
}

function sampleOf(field: (name: string) => string, atMs: number, value: number): Sample | undefined {
  const vu = Number(/(?:^|&)vu=(\d+)/.exec(field('metadata'))?.[1] ?? 0);
  switch (field('metric_name')) {
    case 'http_req_duration': {
      const operation = /(?:^|&)operation=([^&]*)/.exec(field('extra_tags'))?.[1];
      return {
        kind: 'request',
        vu,
        endMs: atMs,
        tookMs: value,
        status: Number(field('status')),
        code: Number(field('error_code')),
        error: field('error'),
        ...(operation === undefined ? {} : { operation }),
      };
    }
    case 'http_req_connecting':
      return value > 0 ? { kind: 'connect', vu } : undefined;
    case 'checks':
      return value === 0 ? { kind: 'unchecked', vu, check: field('check') } : undefined;
    case 'iteration_duration':
      return { kind: 'iteration', vu, endMs: atMs, tookMs: value };
    case 'dropped_iterations':
      return { kind: 'dropped', atMs };
    default:
      return undefined;
  }
}

/** Whether a quoted field goes on behind the end of this line. */
function isOpen(line: string): boolean {
  if (!line.includes('"')) return false;
  return (line.split('"').length - 1) % 2 === 1;
}

function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
