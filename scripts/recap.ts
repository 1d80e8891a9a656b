/** Begins each line of the logs of coid that a failed test prints (test/bed/failed-logs.ts). */
export const logMark = 'coid| ';
const logLinesMax = 60;
/** Of each test that failed, its name and the first lines of its error. */
const linesOfOne = 8;
const linesOfAll = 32;

/**
 * What failed in the output of `node --test` (reporter `spec`), short enough to stand at the end of a long log, where
 * people and CI look first.
 */
export function recap(output: string): string[] {
  const lines = output.split('\n');
  const from = lines.indexOf('✖ failing tests:');
  if (from < 0) return [];
  const found: string[] = [];
  let left = 0;
  for (const line of lines.slice(from + 1)) {
    if (line.startsWith('✖ ')) left = linesOfOne;
    // The way of the error through Node itself says nothing.
    if (left <= 0 || line === '' || /^\s+at .*\(?node:/.test(line)) continue;
    left -= 1;
    found.push(line.slice(0, 240));
  }
  const logs = lines.filter((line) => line.startsWith(logMark)).slice(-logLinesMax);
  return [...found.slice(0, linesOfAll), ...logs.map((line) => line.slice(0, 240))];
}

/** How long one test took. */
export interface TestTime {
  readonly title: string;
  readonly file: string;
  readonly elapsedMs: number;
}

/** The times of the tests in the output of `node --test` (reporter `spec`), without the groups around them. */
export function testTimes(file: string, output: string): TestTime[] {
  // Below this line the failed ones come again.
  const [ran = ''] = output.split('✖ failing tests:');
  const groups = new Set([...ran.matchAll(/^ *▶ (.*)$/gm)].map(([, title]) => title));
  return [...ran.matchAll(/^ *[✔✖] (.*) \(([\d.]+)ms\)$/gm)].flatMap(([, title = '', ms]) =>
    groups.has(title) ? [] : [{ title, file, elapsedMs: Number(ms) }],
  );
}

const slowestMax = 10;

export function slowest(times: readonly TestTime[]): TestTime[] {
  return times.toSorted((a, b) => b.elapsedMs - a.elapsedMs).slice(0, slowestMax);
}

/** Begins the line with which a file of tests says what it left open (test/bed/leaks.ts). */
export const leakMark = 'left open: ';

export function leaked(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(leakMark))
    .map((line) => line.slice(leakMark.length));
}
