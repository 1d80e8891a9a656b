// `npm test`: everything, on a machine that may have nothing yet. Brings up what the tests need, then runs
// every suite on the real Incus. `npm test -- cli incus` runs those suites only.
import { globSync } from 'node:fs';
import { openRealIncus } from '../test/bed/incus.ts';
import { sweepMachine } from '../test/bed/sweep.ts';
import { recap } from './recap.ts';
import { endWhatRuns, interruptedStatus, root, run, seconds } from './run.ts';
import { type Suite, suites } from './suites.ts';

interface Outcome {
  readonly name: string;
  readonly good: boolean;
  readonly elapsedMs: number;
  /** How many tests ran in it; 0 for what is no suite. */
  readonly tests: number;
  /** Of its tests that failed, for the end. */
  readonly failed: readonly string[];
}

const node = process.execPath;
const wanted = process.argv
  .slice(2)
  .map((name) => (name.startsWith('test/') ? name : `test/${name}`));
const unknown = wanted.filter((folder) => !suites.some((suite) => suite.folder === folder));
if (unknown.length > 0)
  end(
    2,
    `There is no suite ${unknown.join(', ')}: ${suites.map(({ folder }) => folder).join(' ')}`,
  );
if (process.geteuid?.() !== 0)
  end(
    1,
    'The tests make users, containers and network namespaces: run them as root (sudo npm test).',
  );

const { signal } = endWhatRuns();
const started = performance.now();
const outcomes: Outcome[] = [];
if (wanted.length === 0) await step('check', [node, 'scripts/check.ts'], 10);
await needed('build', [node, 'scripts/build.ts'], 5);
await needed('coi setup', ['./coi', 'setup', '--yes'], 30);
await sweep('sweep before');
await needed('test image', ['./coi', 'build', '--test-image'], 20);
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite.folder)) continue;
  if (suite.image !== undefined) await step(`image ${suite.image}`, ['./coi', 'build'], 30);
  await runSuite(suite);
}
await sweep('sweep after');
finish();

async function runSuite({ folder, concurrency, limitMinutes }: Suite): Promise<void> {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: root }).sort();
  if (files.length === 0) return say(`${folder}: no tests yet`);
  const argv = [
    node,
    '--test',
    '--test-reporter=spec',
    // A test that was given up may hold something open for ever; the others must not wait for it.
    '--test-force-exit',
    `--test-concurrency=${concurrency}`,
    ...files,
  ];
  await step(folder, argv, limitMinutes);
}

async function step(name: string, argv: readonly string[], limitMinutes: number): Promise<boolean> {
  say(`\n=== ${name}: ${shown(argv)}`);
  // Only of tests is the output counted: a daemon that setup starts must not hold a pipe of ours open.
  const counted = argv.includes('--test') || name === 'check';
  const { status, elapsedMs, output } = await run(argv, {
    show: counted ? 'copy' : true,
    timeoutMs: limitMinutes * 60_000,
    group: argv.includes('--test'),
  });
  const by = signal();
  if (by !== undefined) end(interruptedStatus(by), `npm test was interrupted in ${name}.`);
  const good = status === 0;
  const tests = [...output.matchAll(/^ℹ tests (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  outcomes.push({ name, good, elapsedMs, tests, failed: good ? [] : recap(output) });
  say(`=== ${name}: ${good ? 'ok' : `FAILED with status ${status}`} (${seconds(elapsedMs)})`);
  return good;
}

/** A step without which nothing after it means anything. */
async function needed(name: string, argv: readonly string[], limitMinutes: number): Promise<void> {
  if (!(await step(name, argv, limitMinutes))) finish();
}

/** Takes away what dead test runs left; afterwards, what this one left. */
async function sweep(name: string): Promise<void> {
  const from = performance.now();
  const ended = (good: boolean): Outcome => {
    return { name, good, elapsedMs: performance.now() - from, tests: 0, failed: [] };
  };
  const incus = await openRealIncus();
  try {
    await sweepMachine(incus);
    outcomes.push(ended(true));
  } catch (error) {
    say(`=== ${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    outcomes.push(ended(false));
  } finally {
    incus.close();
  }
}

function finish(): never {
  say('');
  for (const { name, good, elapsedMs } of outcomes)
    say(`${good ? 'ok    ' : 'FAILED'} ${name} (${seconds(elapsedMs)})`);
  for (const { name, failed } of outcomes)
    if (failed.length > 0) say([`--- ${name}:`, ...failed].join('\n'));
  const failed = outcomes.filter(({ good }) => !good).map(({ name }) => name);
  const took = seconds(performance.now() - started);
  const tests = outcomes.reduce((sum, outcome) => sum + outcome.tests, 0);
  if (failed.length === 0) end(0, `npm test passed: ${tests} tests (${took})`);
  end(1, `npm test FAILED: ${failed.join(', ')} (${took})`);
}

function end(status: number, text: string): never {
  say(text);
  process.exit(status);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A command line for people: the program's path and a long list of files would hide what is run. */
function shown(argv: readonly string[]): string {
  const words = argv.map((word) => (word === node ? 'node' : word));
  return words.length > 6
    ? `${words.slice(0, 5).join(' ')} ... (${words.length - 5} more)`
    : words.join(' ');
}
