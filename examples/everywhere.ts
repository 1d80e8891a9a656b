// Runs one command in several new sessions in parallel and prints each result:
//   node examples/everywhere.ts 3 make test
import { openCoi, type Session } from 'coi';

const [count = '2', ...argv] = process.argv.slice(2);
if (!/^[1-9]$/.test(count) || argv.length === 0) {
  process.stderr.write('usage: everywhere.ts COUNT COMMAND...\n');
  process.exit(2);
}

await using coi = openCoi();
// All opened sessions end with this program, even if it fails; their conversations are kept.
await using sessions = new AsyncDisposableStack();
const opened: Session[] = await Promise.all(
  Array.from({ length: Number(count) }, async () => sessions.use(await coi.open())),
);
const results = await Promise.all(
  opened.map(async (session) => ({ session, result: await session.run(argv) })),
);
for (const { session, result } of results)
  process.stdout.write(`slot ${session.info.slot}: status ${result.status}: ${result.stdout}`);

const live = (await coi.list()).filter(({ status }) => status === 'Running');
process.stdout.write(`${live.length} sessions are running\n`);
