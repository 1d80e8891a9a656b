// `npm run bench`: compares coi with bare Incus calls and the `incus` command, interleaved in one run. Not a test.
// --only ROW (repeatable), --runs N (at least 9 for a valid result), --who ordinary|root, --long (adds coid with 20
// sessions) --scale: only up to 40 sessions at once; writes the table and the chart of docs/scale.md
// --network: only the cost of the network guard; needs root
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { testImage } from '../test/bed/bed.ts';
import { measureIdle } from './idle.ts';
import { machine, machineLines } from './machine.ts';
import { measureRow, type RowResult } from './measure.ts';
import { measureNetwork } from './network.ts';
import { missingPrerequisite } from './ready.ts';
import { networkLines, resultLines } from './report.ts';
import { rows } from './rows.ts';
import { measureScale, scaleVerdict } from './scale.ts';
import { measuredLines, scalePage, scaleSvg } from './scale-report.ts';
import { makeStage } from './stage.ts';

const usualRuns = 9;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    runs: { type: 'string', default: String(usualRuns) },
    who: { type: 'string', default: 'ordinary' },
    long: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    network: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const wanted = rows.filter(({ id }) =>
  values.only.length === 0 ? !values.network : values.only.includes(id),
);
if (
  !Number.isInteger(runs) ||
  runs < 1 ||
  (wanted.length === 0 && !values.long && !values.network)
) {
  process.stderr.write(`Rows: ${rows.map(({ id }) => id).join(', ')}; --runs must be 1 or more.\n`);
  process.exit(2);
}
const progress = (text: string) =>
  process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : '');

const who = values.who === 'root' ? 'root' : 'ordinary';
const ownImage = process.env['COI_BENCH_IMAGE'];
const missing = await missingPrerequisite(who, ownImage ?? testImage, ownImage === undefined);
if (missing !== undefined) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}
const loadBefore = loadavg();
await using stage = await makeStage(who);
const stopping = new AbortController();
const interrupt = async () => {
  stopping.abort();
  // measureScale stops on the signal and returns its results so far.
  if (values.scale) return;
  // Cleans up also after an interrupt.
  await stage[Symbol.asyncDispose]();
  process.exit(130);
};
process.once('SIGINT', interrupt);
process.once('SIGTERM', interrupt);
const found = await machine(stage.bed.incus, stage.image);
if (values.scale) {
  // After an interrupt, the results so far still count.
  const result = await measureScale(stage, stopping.signal, (text) =>
    process.stderr.write(`${text}\n`),
  );
  const docs = fileURLToPath(new URL('../docs/', import.meta.url));
  const lines = machineLines(found).map((line) => line.replace(/\s+/g, ' '));
  lines.push(`load average ${loadBefore[0]?.toFixed(1)} before, ${loadavg()[0]?.toFixed(1)} after`);
  const page = await readFile(`${docs}scale.md`, 'utf8');
  await writeFile(`${docs}scale.md`, scalePage(page, result, lines));
  await writeFile(`${docs}scale.svg`, scaleSvg(result.levels));
  process.stdout.write(`${measuredLines(result, lines).join('\n')}\n`);
  await stage[Symbol.asyncDispose]();
  process.exit(scaleVerdict(result) ? 0 : 1);
}
const results: RowResult[] = [];
for (const row of wanted) {
  if (stopping.signal.aborted) break;
  results.push(await measureRow(row, stage, runs, results, progress));
}
// Interrupted rows are not results; `interrupt` exits after the cleanup.
if (stopping.signal.aborted) await new Promise<never>(() => {});
const network = values.network ? await measureNetwork(runs, progress) : [];
const idle = values.long ? await measureIdle(stage, progress) : undefined;
progress('');

const now = new Date().toISOString();
const directory = fileURLToPath(new URL('./results/', import.meta.url));
await mkdir(directory, { recursive: true });
const file = `${directory}${now.replaceAll(':', '').slice(0, 15)}.json`;
const load = { before: loadBefore, after: loadavg() };
await writeFile(
  file,
  `${JSON.stringify({ at: now, machine: found, runs, load, results, network, idle }, null, 2)}\n`,
);
const summary = `medians of ${runs} interleaved runs; load average ${loadBefore[0]?.toFixed(1)} before, ${load.after[0]?.toFixed(1)} after`;
for (const line of [
  ...machineLines(found),
  summary,
  '',
  ...resultLines(results, idle),
  ...networkLines(network),
  '',
  `All samples: ${file}`,
]) {
  process.stdout.write(`${line}\n`);
}
for (const { id, lost, failure } of results) {
  for (const text of failure === undefined ? lost : [failure])
    process.stderr.write(`${id}: ${text}\n`);
}
process.exitCode = results.some(({ failure }) => failure !== undefined) ? 1 : 0;
