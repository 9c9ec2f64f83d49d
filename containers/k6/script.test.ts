import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { readScript } from './script.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'k6-script-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const PLAIN = "import http from 'k6/http';\nexport default function (): void {\n  http.get('http://x/');\n}\n";

describe('a k6 script', () => {
  it('is found from the root of the project, and read as it is', () => {
    const { script, files } = readScript('scenarios/k6/get.ts');
    expect(script).toBe('script/get.ts');
    expect(Object.keys(files)).toEqual(['script/get.ts']);
    expect(files[script]).toContain("import http from 'k6/http';");
  });

  it('comes with what it imports, and what that imports, each once and in its place', () => {
    const path = file('a/shop.ts', `import { url } from '../lib/url.ts';\nimport type { Url } from '../lib/types.ts';\n${PLAIN}export const at: Url = url;\n`);
    file('lib/url.ts', "import { base } from './base.js';\nexport { other } from '../a/shop.ts';\nexport const url = base;\n");
    file('lib/base.js', 'export const base = 1;\n');
    const { script, files } = readScript(path);
    expect(script).toBe('script/a/shop.ts');
    expect(Object.keys(files).sort()).toEqual(['script/a/shop.ts', 'script/lib/base.js', 'script/lib/url.ts']);
  });

  it.each<[string, string, string]>([
    ['does not compile', 'export default function () {\n  const = 1;\n', 'does not compile: '],
    [
      'has no default export',
      "import http from 'k6/http';\nexport const get = () => http.get('http://x/');\n",
      "has no default export; write 'export default function () { ... }'",
    ],
    [
      'has options',
      `export const options = { vus: 1 };\n${PLAIN}`,
      "exports 'options', which never comes into force here: the load is planned by k6Load's rate",
    ],
    ['has options by another way', `const options = { thresholds: {} };\nexport { options };\n${PLAIN}`, "exports 'options'"],
    [
      'has a teardown',
      `${PLAIN}export function teardown() {}\n`,
      "exports 'teardown', which never comes into force here: a run ends with its last iteration; take it out",
    ],
    ['makes its own summary', `${PLAIN}export async function handleSummary() {}\n`, "exports 'handleSummary'"],
    [
      'needs a package',
      `import _ from 'lodash';\n${PLAIN}export const x = _;\n`,
      "imports 'lodash'; a script can import k6, k6/... (no extensions) and files beside it",
    ],
    ['needs the network', `import x from 'https://jslib.k6.io/x.js';\n${PLAIN}export const y = x;\n`, "imports 'https://jslib.k6.io/x.js'"],
    ['needs an extension', `import x from 'k6/x/sql';\n${PLAIN}export const y = x;\n`, "imports 'k6/x/sql'"],
    [
      'needs a file that is not there',
      `import { x } from './nope.ts';\n${PLAIN}export const y = x;\n`,
      "imports './nope.ts', and there is no such file beside it",
    ],
    ['is too large', `${PLAIN}export const text = '${'x'.repeat(1_000_000)}';\n`, 'and what it imports are 100'],
  ])('that %s is refused in one line', (_, text, why) => {
    const path = file('bad.ts', text);
    const act = () => readScript(path);
    expect(act).toThrow(InputError);
    expect(act).toThrow(why);
    expect(act).not.toThrow('\n');
  });

  it('may speak of options in a comment, and may be TypeScript that cannot just be erased', () => {
    const path = file(
      'fine.ts',
      `/*\nexport const options = {};\n*/\n// export const options = {};\nenum Size { small = 1 }\nexport const size = Size.small;\n${PLAIN}`,
    );
    expect(readScript(path).script).toBe('script/fine.ts');
  });

  it('that is not there is refused with the places that were looked at', () => {
    expect(() => readScript('scenarios/k6/nope.ts')).toThrow("there is no file 'scenarios/k6/nope.ts' (looked for ");
    expect(() => readScript('scenarios/k6')).toThrow("'scenarios/k6' is not a file");
    expect(() => readScript('package.json')).toThrow("'package.json' is not a script; k6 runs .ts and .js files");
  });

  it('is read without a word of Node on the terminal', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    readScript('scenarios/k6/get.ts');
    expect(warned).not.toHaveBeenCalled();
    expect(process.emitWarning).toBe(warned);
    warned.mockRestore();
  });
});
