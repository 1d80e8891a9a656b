// `npm test`: everything, on a machine that may have nothing yet. Brings up what the tests need, then runs the files
// of every suite on the real Incus, a few at a time. `npm test -- cli incus` runs those suites only.
import { chmodSync, existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { openRealIncus } from '../test/bed/incus.ts';
import { sweepMachine } from '../test/bed/sweep.ts';
import { type Job, runPool } from './pool.ts';
import { leaked, recap, slowest, type TestTime, testTimes } from './recap.ts';
import { endWhatRuns, interruptedStatus, root, run, seconds } from './run.ts';
import { longFiles, type Suite, suites, testProgram } from './suites.ts';

interface Outcome {
  /** A step, or a file of tests. */
  readonly name: string;
  /** The folder of a file of tests; the name of a step. */
  readonly suite: string;
  readonly good: boolean;
  readonly elapsedMs: number;
  /** What it printed; empty for a step whose output went straight to the terminal. */
  readonly output: string;
}

const node = process.execPath;
/** Most tests wait for containers, not for a core: one file more than there are cores keeps the cores busy. */
const width = Math.min(availableParallelism() + 1, 6);

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
await needed('build', [node, 'scripts/build.ts'], 5);
await needed('coi setup', ['./coi', 'setup', '--yes'], 30);
allowFuse();
await sweep('sweep before');
await needed('test image', ['./coi', 'build', '--test-image'], 20);
await runPool(jobs(), { width, stopped: () => signal() !== undefined });
// Also after Ctrl-C: tests that are killed cannot remove their directories.
await sweep('sweep after');
endIfInterrupted();
finish();

/** The selected files. Serial suites and long files come first, so that none of them runs alone at the end. */
function jobs(): Job[] {
  const chosen = suites.filter(({ folder }) => wanted.length === 0 || wanted.includes(folder));
  const files = chosen.flatMap((suite) =>
    globSync(`${suite.folder}/**/*.test.ts`, { cwd: root })
      .sort()
      .map((file) => fileJob(suite, file)),
  );
  const isEarly = ({ name, lane }: Job) => lane !== undefined || longFiles.includes(name);
  const images = new Set(chosen.flatMap(({ image }) => image ?? []));
  return [
    ...(wanted.length === 0 ? [job('check', [node, 'scripts/check.ts'], 10)] : []),
    ...[...images].map((image) => job(`image ${image}`, ['./coi', 'build'], 30)),
    ...files.filter(isEarly),
    ...files.filter((file) => !isEarly(file)),
  ];
}

function job(name: string, argv: readonly string[], limitMinutes: number): Job {
  return { name, run: async () => void (await step(name, argv, limitMinutes, { show: false })) };
}

function fileJob({ folder, limitMinutes, serial, image }: Suite, file: string): Job {
  return {
    name: file,
    ...(serial === true && { lane: folder }),
    ...(image !== undefined && { after: [`image ${image}`] }),
    run: async () => {
      await step(file, testProgram(file), limitMinutes, {
        show: false,
        suite: folder,
        group: true,
      });
    },
  };
}

/** Runs one program to its end. Unless it is shown at once, its output is printed when it has ended: several run at a time. */
async function step(
  name: string,
  argv: readonly string[],
  limitMinutes: number,
  {
    show,
    suite = name,
    group = false,
  }: { readonly show: boolean; readonly suite?: string; readonly group?: boolean },
): Promise<boolean> {
  const ran = await run(argv, {
    show,
    timeoutMs: limitMinutes * 60_000,
    group,
  });
  const good = ran.status === 0;
  outcomes.push({ ...ran, name, suite, good });
  say(
    `${ran.output}=== ${name}: ${good ? 'ok' : `FAILED with status ${ran.status}`} (${seconds(ran.elapsedMs)})`,
  );
  return good;
}

/** A step without which nothing after it means anything. Its output goes straight to the terminal. */
async function needed(name: string, argv: readonly string[], limitMinutes: number): Promise<void> {
  say(`=== ${name}`);
  const good = await step(name, argv, limitMinutes, { show: true });
  endIfInterrupted();
  if (!good) finish();
}

/** As udev does: containers may serve file systems. A machine without udev leaves the device to root. */
function allowFuse(): void {
  if (existsSync('/dev/fuse')) chmodSync('/dev/fuse', 0o666);
}

/** Takes away what dead test runs left; afterwards, what this one left. */
async function sweep(name: string): Promise<void> {
  const from = performance.now();
  const ended = (good: boolean): Outcome => {
    return { name, suite: name, good, elapsedMs: performance.now() - from, output: '' };
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

function endIfInterrupted(): void {
  const by = signal();
  if (by !== undefined) end(interruptedStatus(by), 'npm test was interrupted.');
}

function finish(): never {
  const slow = slowest(outcomes.flatMap(({ name, output }) => testTimes(name, output)));
  if (slow.length > 0) say(['', 'The slowest tests:', ...slow.map(shownTime)].join('\n'));
  const leaks = outcomes.flatMap(({ name, output }) => leaked(output).map((l) => `${name}: ${l}`));
  if (leaks.length > 0) say(['', 'Handles left open:', ...leaks].join('\n'));
  say('');
  for (const suite of new Set(outcomes.map((outcome) => outcome.suite))) say(suiteLine(suite));
  for (const { name, good, output } of outcomes)
    if (!good) say([`--- ${name}:`, ...recap(output)].join('\n'));
  const failed = outcomes.filter(({ good }) => !good).map(({ name }) => name);
  const took = seconds(performance.now() - started);
  const tests = outcomes.reduce((sum, outcome) => sum + testCount(outcome), 0);
  if (failed.length === 0) end(0, `npm test passed: ${tests} tests (${took})`);
  end(1, `npm test FAILED: ${failed.join(', ')} (${took})`);
}

/** One line for a step, or for all files of a suite with the sum of their times. */
function suiteLine(suite: string): string {
  const own = outcomes.filter((outcome) => outcome.suite === suite);
  const good = own.every((outcome) => outcome.good);
  const took = seconds(own.reduce((sum, outcome) => sum + outcome.elapsedMs, 0));
  const files = suite.startsWith('test/') ? `, ${own.length} files` : '';
  return `${good ? 'ok    ' : 'FAILED'} ${suite} (${took}${files})`;
}

function shownTime({ title, file, elapsedMs }: TestTime): string {
  return `${seconds(elapsedMs).padStart(8)}  ${title}  (${file})`;
}

function testCount({ output }: Outcome): number {
  return [...output.matchAll(/^ℹ tests (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}

function end(status: number, text: string): never {
  say(text);
  process.exit(status);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
