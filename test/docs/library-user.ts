// A program that uses the library like any other program; library.test.ts runs it on a terminal.
import { CoiError, openCoi } from 'coi';

await using coi = openCoi();
await using session = await coi.open({ env: { WORD: 'secret' }, slot: 3 });
const script = 'read -r line; printf "%s %s" "$line" "$MORE"; printf err >&2; exit 3';
const ran = await session.run(['sh', '-c', script], { input: 'in\n', env: { MORE: 'out' } });
const id = await session.run(['id', '-u'], { user: 'root' });
await session.attach();
console.log('left');
console.log(`ran ${ran.status} ${ran.stdout} ${ran.stderr}; root ${id.stdout}`);
try {
  await coi.session('no-such-alias');
} catch (error) {
  console.log(error instanceof CoiError ? error.code : error);
}
await session.end({ force: true });
console.log((await coi.list()).length === 0 ? 'ended' : 'still there');
