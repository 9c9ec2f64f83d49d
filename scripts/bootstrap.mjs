/**
 * Makes this machine ready and runs something on it:
 *
 *   node scripts/bootstrap.mjs setup [k6 | all]           npm packages, a container engine, the images; and one that only some scenarios need
 *   node scripts/bootstrap.mjs demo | test                the same, then the demo or (with every image) all tests
 *   node scripts/bootstrap.mjs <arguments of aftershock>  the same, then that command
 *   node scripts/bootstrap.mjs bench                      npm packages, then the benchmarks, which see to what else they need
 *
 * Plain JavaScript without packages: Node 18 or later starts it on a bare machine. AFTERSHOCK_SETUP=never changes nothing on the machine: it says what is
 * missing and what to type, and ends with exit code 3.
 */
import { join } from 'node:path';
import { runChild } from './plain/child.mjs';
import { takeLock } from './plain/lock.mjs';
import { environment, node24, packagesMissing } from './plain/node24.mjs';
import { LOG, ROOT, say, step } from './plain/progress.mjs';

const BAD_INPUT = 2;
const ENVIRONMENT = 3;
const INTERNAL = 70;

/** `npm run --silent` would silence this one too, and leave nothing in the log. */
const INSTALL = ['ci', '--loglevel=warn', '--no-audit', '--no-fund'];

/** What each word runs, after the set-up. Other words are commands of aftershock. */
const RUNS = {
  demo: ['bin/aftershock.mjs', 'run', 'slow-node', '--variant', 'as-it-happened', '--variant', 'eject'],
  test: ['scripts/test.ts'],
  bench: ['bench/main.ts'],
};

/** The benchmarks run without an engine; one of them says that it is left out. */
const WITHOUT_ENGINE = 'bench';

/**
 * Ends us, and what we run, when npm is told to end: npm tells only the shell between us, and the shell dies without a word.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  watch.unref();
}

/** @param {string[]} args */
async function main([what = 'setup', ...rest]) {
  const mode = process.env.AFTERSHOCK_SETUP || 'auto';
  if (mode !== 'auto' && mode !== 'never') {
    say(`AFTERSHOCK_SETUP: '${mode}' is not known; allowed: auto, never`);
    return BAD_INPUT;
  }
  const images = what === 'setup' ? rest : what === 'test' ? ['all'] : [];
  const ready = await (mode === 'never' ? check(what, images) : setUp(what, images));
  if (ready !== 0 || what === 'setup') return ready;
  const run = what === 'demo' || what === 'test' || what === 'bench' ? [...RUNS[what], ...rest] : ['bin/aftershock.mjs', what, ...rest];
  return underNode24(run);
}

/**
 * Brings what is missing.
 *
 * @param {string} what
 * @param {readonly string[]} images names of those that are wanted besides those that all need
 */
async function setUp(what, images) {
  const release = await takeLock((pid) => say(`another set-up (process ${pid}) is at work; waiting for it to end`));
  try {
    const missing = packagesMissing();
    if (missing !== undefined) {
      const code = await install(missing);
      if (code !== 0) return code;
    }
    if (what === WITHOUT_ENGINE) return 0;
    return await underNode24(['scripts/setup.ts', ...images, ...(what === 'setup' ? [] : ['--quiet'])]);
  } finally {
    release();
  }
}

/**
 * Installs the npm packages, and with them Node 24.
 *
 * @param {string} why
 */
async function install(why) {
  // npm tells which npm it is when it runs us; without it, the one on the PATH.
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm, ...INSTALL]] : ['npm', INSTALL];
  try {
    const code = await step(`installing the npm packages (${why})`, (log) => runChild(command, args, { cwd: ROOT, output: log }));
    if (code !== 0) say(`'npm ci' failed with exit code ${code}; ${LOG} has what it said`);
    return code === 0 || code > 128 ? code : ENVIRONMENT;
  } catch (thrown) {
    say(`npm cannot be started (${/** @type {Error} */ (thrown).message}); install Node with npm, then type: npm run setup`);
    return ENVIRONMENT;
  }
}

/**
 * Says what is missing and changes nothing.
 *
 * @param {string} what
 * @param {readonly string[]} images
 */
async function check(what, images) {
  const missing = packagesMissing();
  if (missing !== undefined) say(`missing: npm packages (${missing}); type: npm ci`);
  if (node24() === undefined) {
    say('missing: Node 24, which comes with the npm packages; type: npm ci (the engine and the images are checked after that)');
    return ENVIRONMENT;
  }
  if (what === WITHOUT_ENGINE) return missing === undefined ? 0 : ENVIRONMENT;
  const rest = await underNode24(['scripts/setup.ts', '--check', ...images, ...(what === 'setup' ? [] : ['--quiet'])]);
  return missing === undefined ? rest : ENVIRONMENT;
}

/** @param {string[]} args */
async function underNode24([script, ...args]) {
  const node = node24();
  if (node === undefined || script === undefined) {
    say('Node 24 was not installed with the npm packages (are install scripts forbidden?); type: npm rebuild node, or install Node 24 yourself');
    return ENVIRONMENT;
  }
  return runChild(node, [join(ROOT, script), ...args], { env: environment() });
}

endWithNpm();
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  say(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = INTERNAL;
}
