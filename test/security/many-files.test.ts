// Goal: files that an agent creates in large numbers are all cleaned up, and do not fill coid's log.
// Method: real containers with a private coid.
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { makeRepo, protect } from './protect-bed.ts';

const limit = { timeout: 180_000 };
const uid = 1003;

test(
  "1100 setuid files are stripped at the session's end, and their number is reported",
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await bed.directory(uid);
    const { container } = await bed.session({ workspace });
    const making = 'cd /workspace && seq 1100 | xargs touch && seq 1100 | xargs chmod 4755';
    assert.equal((await bed.sh(container, making)).status, 0);
    const left = async () => {
      const names = await readdir(workspace);
      const modes = await Promise.all(
        names.map(async (name) => (await stat(join(workspace, name))).mode),
      );
      return modes.filter((mode) => (mode & 0o4000) !== 0).length;
    };
    // Control.
    assert.equal(await left(), 1100);
    const stop = await bed.incus.changeState(container, {
      action: 'stop',
      force: true,
      timeout: 30,
    });
    await stop.wait({ timeoutMs: 60_000 });
    const { sessions } = await bed.coid.endedSessions({ workspace, container });
    const [session] = sessions;
    assert.deepEqual([session?.complete, session?.strippedCount], [true, 1100]);
    assert.equal(await left(), 0);
  },
);

test(
  'a protected path created and removed in a loop is one log line and one write to Incus',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { container } = await bed.session({ workspace: await makeRepo(bed, uid), protect });
    const before = await alertOf(bed, container);
    const loop =
      'cd /workspace; for i in $(seq 100); do mkdir .husky; sleep 0.02; rmdir .husky; sleep 0.02; done';
    assert.equal((await bed.sh(container, loop)).status, 0);
    const lines = (await readFile(join(bed.daemon.stateDir, 'coid.log'), 'utf8')).split('\n');
    const reported = lines.filter((line) => line.includes('protected-path-changed'));
    assert.equal(reported.length, 1, reported.join('\n'));
    assert.match(reported[0] ?? '', /\.husky/);
    assert.notEqual(await alertOf(bed, container), before);
  },
);

/** The instance's alert key. */
async function alertOf({ incus }: CoidBed, name: string): Promise<string | undefined> {
  return (await incus.instance(name))?.instance.config['user.coi.alert'];
}
