// `npm run check`: format and lint, types and unit tests, in parallel. Needs neither Incus nor root.
import { globSync } from 'node:fs';
import { root, run, seconds } from './run.ts';
import { checkGlobs } from './suites.ts';

const tests = checkGlobs.flatMap((glob) => globSync(glob, { cwd: root })).sort();
const checks: Record<string, readonly string[]> = {
  'biome ci': [process.execPath, 'node_modules/.bin/biome', 'ci', '--colors=off'],
  tsc: ['node_modules/.bin/tsc', '--pretty', 'false'],
  // A quarter in each process: one process per file takes three times as long, and some tests only wait.
  'unit tests, 1 of 4': unitTests(0),
  'unit tests, 2 of 4': unitTests(1),
  'unit tests, 3 of 4': unitTests(2),
  'unit tests, 4 of 4': unitTests(3),
};

const started = performance.now();
const failed: string[] = [];
await Promise.all(
  Object.entries(checks).map(async ([name, argv]) => {
    const { status, output, elapsedMs } = await run(argv, { timeoutMs: 5 * 60_000 });
    const good = status === 0;
    if (!good) failed.push(name);
    const shown = name.startsWith('unit tests') ? summary(output) : good ? '' : output;
    process.stdout.write(`${good ? 'ok    ' : 'FAILED'} ${name} (${seconds(elapsedMs)})\n${shown}`);
  }),
);
const verdict = failed.length === 0 ? 'passed' : `FAILED: ${failed.join(', ')}`;
process.stdout.write(`check ${verdict} (${seconds(performance.now() - started)})\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Every fourth file, so that all quarters take about the same time. */
function unitTests(quarter: number): string[] {
  return [
    process.execPath,
    '--test',
    '--test-isolation=none',
    '--test-timeout=60000',
    '--test-reporter=spec',
    ...tests.filter((_, index) => index % 4 === quarter),
  ];
}

/** The numbers of tests by result, and the output of the failed ones. */
function summary(output: string): string {
  const failures = output.indexOf('\n✖ failing tests:');
  const counts = output
    .split('\n')
    .filter((line) => /^ℹ (tests|pass|fail|skipped|todo) /.test(line));
  const shown = counts.map((line) => `${line}\n`).join('');
  return failures === -1 ? shown : output.slice(failures) + shown;
}
