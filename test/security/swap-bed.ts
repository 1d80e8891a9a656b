// Workspaces whose configuration mounts one of their directories, sessions in them, and a simulated host reboot.
import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bed, makeBed, testImage } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { mountPointsUnder } from '../bed/mounts.ts';

export const secret = 'only for the user\n';

/** A workspace whose configuration mounts its directory `sub`, and a user's directory that no session may see. */
export async function makeSwapBed(): Promise<Bed & { readonly closed: string }> {
  const bed = await makeBed();
  const { user, workspace } = bed;
  const closed = join(user.home, 'private');
  await ownDirectory(bed, closed, 0o700);
  await ownDirectory(bed, join(workspace.path, 'sub'));
  await ownDirectory(bed, join(workspace.path, '.coi'));
  await ownFile(bed, join(closed, 'secret'), secret);
  await ownFile(
    bed,
    join(workspace.path, '.coi/config.toml'),
    '[[mounts.default]]\nhost = "sub"\ncontainer = "/sub"\n',
  );
  return Object.assign(bed, { closed });
}

export async function ownDirectory({ user }: Bed, path: string, mode = 0o755): Promise<void> {
  await mkdir(path);
  await chmod(path, mode);
  await chown(path, user.uid, user.gid);
}

export async function ownFile({ user }: Bed, path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await chown(path, user.uid, user.gid);
}

export async function startSession(bed: Bed, ...more: string[]): Promise<string> {
  const before = await bed.instances();
  const argv = ['shell', '--image', testImage, '--background', ...more];
  const { status, stderr } = await bed.coi(argv);
  assert.equal(status, 0, stderr);
  const name = (await bed.instances()).find((one) => !before.includes(one));
  assert.ok(name, stderr);
  return name;
}

/** As the agent, in the container. */
export async function runAsAgent(bed: Bed, name: string, script: string): Promise<string> {
  const command = ['sh', '-c', script];
  const result = await bed.incus.execCaptured(name, { command, user: 1000, group: 1000 });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout.toString();
}

export async function mustCoi(bed: Bed, ...args: string[]): Promise<void> {
  const { status, stderr } = await bed.coi(args);
  assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
}

/** Like a host after a power failure: coid and its mounts are gone. */
export async function reboot(bed: Bed): Promise<void> {
  const { coid } = bed;
  await coid.stop();
  const mounts = join(coid.runDir, 'mounts');
  for (const point of (await mountPointsUnder(mounts)).toReversed())
    await mustRun(['umount', point]);
  for (const id of await readdir(mounts))
    await mustRun(['rm', '-r', '--one-file-system', join(mounts, id)]);
  await rmdir(mounts);
  await coid.start();
}
