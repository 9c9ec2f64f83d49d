/** The catalogue: every fault with its family, which is the folder that its file is in. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultKind } from './fault.ts';
import { FAULT_KINDS, type Fault } from './index.ts';

export interface CatalogueEntry {
  readonly kind: FaultKind<Fault>;
  /** 'link', 'packet'. */
  readonly family: string;
  /** Its file, as an absolute path: its opening comment is its page. */
  readonly file: string;
}

/** All faults, by family and then by name. Throws Error for one whose file is not called like it. */
export function catalogue(): CatalogueEntry[] {
  const files = new Map(
    readdirSync(import.meta.dirname, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name: family }) =>
        readdirSync(join(import.meta.dirname, family)).map((name) => [name, { family, file: join(import.meta.dirname, family, name) }] as const),
      ),
  );
  return FAULT_KINDS.map((kind) => {
    const found = files.get(`${kind.kind}.ts`);
    if (!found) throw new Error(`fault '${kind.kind}' has no file of its name in a folder of harness/faults`);
    return { kind, ...found };
  }).toSorted((a, b) => (a.family === b.family ? compared(a.kind.kind, b.kind.kind) : compared(a.family, b.family)));
}

function compared(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
