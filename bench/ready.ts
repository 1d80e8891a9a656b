// Prerequisites of the bench: built, or reported in one sentence, before anything is measured.
import { spawnSync } from 'node:child_process';
import { root, run } from '../scripts/run.ts';
import { incusSocketPath, openIncus } from '../src/incus/open.ts';

/** Why the bench cannot run; undefined if it can. Builds the program, and the test image if it is missing. */
export async function missingPrerequisite(
  who: 'ordinary' | 'root',
  image: string,
  isTests: boolean,
) {
  if (process.geteuid?.() !== 0)
    return 'The bench creates a user and services: run it as root (sudo npm run bench).';
  const built = await run([process.execPath, 'scripts/build.ts'], { show: 'copy' });
  if (built.status !== 0) return 'The program could not be built; see the lines above.';
  if (who === 'ordinary' && !isReadable())
    return `The bench runs as another user, who may not read ${root}: move the checkout, or add --who root.`;
  const incus = openIncus({ socketPath: incusSocketPath(process.env) });
  try {
    if (await incus.imageAlias(image)) return undefined;
  } catch {
    return 'Incus does not answer: run `sudo ./coi setup` first.';
  } finally {
    incus.close();
  }
  if (!isTests)
    return `The image ${image}, which COI_BENCH_IMAGE names, does not exist: see \`coi image list\`.`;
  const made = await run(['./coi', 'build', '--test-image'], { show: true });
  return made.status === 0 ? undefined : 'The test image could not be built; see the lines above.';
}

/** Whether an unprivileged user can read the program. */
function isReadable(): boolean {
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  return [process.execPath, `${root}/coi`, `${root}/dist/main.js`].every(
    (path) => spawnSync('setpriv', [...nobody, 'test', '-r', path]).status === 0,
  );
}
