// What the bench stands on: built, or named in one sentence, before anything is measured.
import { spawnSync } from 'node:child_process';
import { root, run } from '../scripts/run.ts';
import { incusSocketPath, openIncus } from '../src/incus/open.ts';

/** Why it cannot measure; undefined where it can. Builds the program and the image of the tests where they are missing. */
export async function missingPrerequisite(
  who: 'ordinary' | 'root',
  image: string,
  isTests: boolean,
) {
  if (process.geteuid?.() !== 0)
    return 'The bench makes an account and services of its own: run it as root (sudo npm run bench).';
  const built = await run([process.execPath, 'scripts/build.ts'], { show: 'copy' });
  if (built.status !== 0) return 'The program could not be built; the lines above say why.';
  if (who === 'ordinary' && !isReadable())
    return `Other accounts may not read ${root}, and the bench measures as one of them: move the checkout, or add --who root.`;
  const incus = openIncus({ socketPath: incusSocketPath(process.env) });
  try {
    if (await incus.imageAlias(image)) return undefined;
  } catch {
    return 'Incus does not answer: run `sudo ./coi setup` first.';
  } finally {
    incus.close();
  }
  if (!isTests)
    return `There is no image ${image}, which COI_BENCH_IMAGE names: see \`coi image list\`.`;
  const made = await run(['./coi', 'build', '--test-image'], { show: true });
  return made.status === 0
    ? undefined
    : 'The image of the tests could not be built; the lines above say why.';
}

/** Whether an account without any rights of its own reaches what it would run. */
function isReadable(): boolean {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  return [process.execPath, `${root}/coi`, `${root}/dist/main.js`].every(
    (path) => spawnSync('setpriv', [...nobody, 'test', '-r', path]).status === 0,
  );
}
