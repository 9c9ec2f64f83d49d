/**
 * Reads a k6 script and everything beside it that it imports, so that a plan holds the very text that was run; and refuses what k6 would refuse, or what
 * would mean something else here, before anything is started.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { InputError, messageOf } from '../../harness/core/errors.ts';
import { REFUSED_EXPORTS, refusedExport } from './adapter/wrapper.ts';

export interface Script {
  /** Path of the script within `files`. */
  readonly script: string;
  /** Texts by path, with '/', below the folder that holds them all. */
  readonly files: Readonly<Record<string, string>>;
}

const ROOT = join(import.meta.dirname, '..', '..');
/** All files of a script together: they are part of the plan. */
const MOST_BYTES = 1_000_000;

/** The script at this path: absolute, or relative to the project's root or else to the current folder. Throws InputError. */
export function readScript(path: string): Script {
  const file = locate(path);
  const texts = new Map<string, string>();
  collect(file, path, texts);
  const bytes = [...texts.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > MOST_BYTES) throw new InputError(`'${path}' and what it imports are ${bytes} bytes; ${MOST_BYTES} at most`);
  const base = commonFolder([...texts.keys()]);
  const named = (absolute: string) => `script/${relative(base, absolute).split(sep).join('/')}`;
  return { script: named(file), files: Object.fromEntries([...texts].map(([absolute, text]) => [named(absolute), text])) };
}

function locate(path: string): string {
  const places = isAbsolute(path) ? [path] : [...new Set([join(ROOT, path), resolve(path)])];
  const file = places.find((place) => existsSync(place));
  if (file === undefined) throw new InputError(`there is no file '${path}' (looked for ${places.join(' and ')})`);
  if (!statSync(file).isFile()) throw new InputError(`'${path}' is not a file; write the path of a k6 script, such as 'scenarios/k6/get.ts'`);
  if (!/\.[cm]?[jt]s$/.test(file)) throw new InputError(`'${path}' is not a script; k6 runs .ts and .js files`);
  return file;
}

function collect(file: string, shown: string, texts: Map<string, string>): void {
  const text = readFileSync(file, 'utf8');
  texts.set(file, text);
  const code = compiled(text, shown);
  if (texts.size === 1) checkExports(code, shown);
  for (const specifier of importsOf(code)) {
    if (specifier.startsWith('.')) {
      const next = resolve(dirname(file), specifier);
      if (!existsSync(next) || !statSync(next).isFile()) throw new InputError(`'${shown}' imports '${specifier}', and there is no such file beside it`);
      if (!texts.has(next)) collect(next, relative(ROOT, next), texts);
    } else if (!isOfK6(specifier)) {
      throw new InputError(`'${shown}' imports '${specifier}'; a script can import k6, k6/... (no extensions) and files beside it ('./helpers.ts')`);
    }
  }
}

function isOfK6(specifier: string): boolean {
  return specifier === 'k6' || (specifier.startsWith('k6/') && !specifier.startsWith('k6/x/'));
}

/** The script as JavaScript, without its comments. Throws InputError with what does not compile. */
function compiled(text: string, shown: string): string {
  const warn = process.emitWarning;
  // Node says once in every process that this function may still change; that is nothing for whoever runs a scenario.
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text, { mode: 'transform' });
  } catch (thrown) {
    throw new InputError(`'${shown}' does not compile: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    process.emitWarning = warn;
  }
}

/** What can be seen from the text; the wrapper looks at the rest when k6 loads the script. */
function checkExports(code: string, shown: string): void {
  const refused = Object.keys(REFUSED_EXPORTS).find((name) =>
    new RegExp(`^\\s*export\\s+(?:(?:const|let|var|(?:async\\s+)?function)\\s+${name}\\b|\\{[^}]*\\b${name}\\s*[,}])`, 'm').test(code),
  );
  if (refused !== undefined) throw new InputError(`'${shown}' ${refusedExport(refused).message}`);
  if (!/\bexport\s+default\b|\bas\s+default\b|\bexport\s*\{[^}]*\bdefault\b/.test(code))
    throw new InputError(`'${shown}' has no default export; write 'export default function () { ... }', which k6 calls for each iteration`);
}

function importsOf(code: string): string[] {
  const found = code.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm);
  return [...found].map(([, from, bare]) => (from ?? bare) as string);
}

function commonFolder(files: readonly string[]): string {
  let folder = dirname(files[0] as string);
  while (!files.every((file) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep))) folder = dirname(folder);
  return folder;
}
