// A program that uses the library. `hold` opens a session and disposes of it on request; `twice ID` opens one saved
// session two times at once.
import { createInterface } from 'node:readline/promises';
import { CoiError, openCoi } from 'coi';

const [what, id = ''] = process.argv.slice(2);
await using coi = openCoi();
const codeOf = (error: unknown) => (error instanceof CoiError ? error.code : String(error));

async function openAndDispose(): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  await using session = await coi.open({ slot: 1 });
  await lines.question(`opened ${session.info.name} `);
  const ran = await session.run(['touch', '/tmp/of-the-library']).then(() => 'ran', codeOf);
  const attached = await session.attach().then(() => 'attached', codeOf);
  await session.end({ timeoutMs: 1000 });
  console.log(`run: ${ran}, attach: ${attached}`);
  lines.close();
}

async function openTwice(): Promise<void> {
  const results = await Promise.allSettled([coi.open({ resume: id }), coi.open({ resume: id })]);
  const names = (await coi.list()).map(({ name }) => name);
  const refused = results.flatMap((one) => (one.status === 'rejected' ? [codeOf(one.reason)] : []));
  console.log(`refused: ${refused.join(' ')}; live: ${names.join(' ')};`);
  for (const one of results) if (one.status === 'fulfilled') await one.value.end({ force: true });
}

await (what === 'twice' ? openTwice() : openAndDispose());
console.log('left');
