// Files that containers leave under their own ids: they are given to the user once no session needs them unchanged.
import assert from 'node:assert/strict';
import { lstatSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { onlyInstance } from '../terminal/session.ts';
import { runInside, stopFromOutside, storeOf } from './conversation.ts';

const timeout = 120_000;

async function startInBackground(bed: Bed, ...args: string[]): Promise<string> {
  const before = new Set(await bed.instances());
  const result = await bed.coi(['shell', '--background', '--image', bed.image, ...args]);
  assert.equal(result.status, 0, result.stderr);
  const [name = ''] = (await bed.instances()).filter((one) => !before.has(one));
  return name;
}

/** Files like those of a database service that runs as root: a private directory and a suid program. */
async function createFiles(bed: Bed, name: string, directory: string): Promise<void> {
  // May run twice (see `execCaptured`).
  const script = `mkdir -p -m 700 ${directory} && echo 1 >${directory}/data && chown -R 999:999 ${directory} && cp /bin/true ${directory}/suid && chmod 4755 ${directory}/suid && ln -sf /etc/passwd ${directory}/link`;
  await runInside(bed, name, 'sh', '-c', script);
}

const owner = (path: string) => {
  const { uid, gid } = lstatSync(path);
  return { uid, gid };
};

/** coid works while it answers: the directory's owner, which changes first, shows it. */
async function untilOwned(bed: Bed, path: string): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while (owner(`${path}/suid`).uid !== bed.user.uid || owner(`${path}/link`).uid !== bed.user.uid) {
    assert.equal(limit.aborted, false, `${path} belongs to ${owner(path).uid}`);
    // Each check is a round trip to coid.
    await bed.coid.status();
  }
}

/** Waits until coid has noticed the container. */
async function untilNoticed(bed: Bed): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while ((await bed.coid.status())?.leases !== 0) limit.throwIfAborted();
}

for (const how of ['kill', 'poweroff', 'crash', 'crash before coid saw it'] as const) {
  test(`after ${how}, files of root and services in the workspace and the store belong to the user`, {
    timeout,
  }, async () => {
    // A reservation that coid has not seen become a container expires after that time.
    await using bed = await makeBed({ coidEnv: { COI_LEASE_MS: '4000' } });
    const name = await startInBackground(bed);
    const { config } = await onlyInstance(bed);
    await createFiles(bed, name, '/workspace/db');
    await createFiles(bed, name, '/home/code/.claude/cache');
    const store = storeOf(bed, config['user.coi.session'] ?? '');
    assert.notEqual(owner(`${bed.workspace.path}/db`).uid, bed.user.uid);
    if (how.startsWith('crash')) {
      // While coid is stopped: it finds out at its next start.
      if (how === 'crash') await untilNoticed(bed);
      await bed.coid.crash();
      assert.equal((await bed.coi(['kill', name])).status, 0);
      await bed.coid.start();
    } else if (how === 'kill') assert.equal((await bed.coi(['kill', name])).status, 0);
    else await bed.incus.execCaptured(name, { command: ['systemctl', 'poweroff', '--force'] });
    for (const path of [`${bed.workspace.path}/db`, `${store}/.claude/cache`]) {
      await untilOwned(bed, path);
      for (const entry of ['', ...readdirSync(path)])
        assert.deepEqual(
          owner(`${path}/${entry}`.replace(/\/$/, '')),
          { uid: bed.user.uid, gid: bed.user.gid },
          entry,
        );
      assert.equal(lstatSync(`${path}/suid`).mode & 0o7777, 0o755);
    }
    assert.equal(owner('/etc/passwd').uid, 0);
    const removed = await bed.user.run(['rm', '-r', `${bed.workspace.path}/db`]);
    assert.equal(removed.status, 0, removed.stderr);
  });
}

test('ownership is unchanged while another slot of the workspace runs, and for a persistent one unless requested', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [one, two] = [await startInBackground(bed), await startInBackground(bed, '--persistent')];
  await createFiles(bed, one, '/workspace/db');
  const before = owner(`${bed.workspace.path}/db`);
  assert.equal((await bed.coi(['kill', one])).status, 0);
  const refused = await bed.coi(['clean', '--ownership']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, new RegExp(`${two} is running in this workspace`));
  await stopFromOutside(bed, two);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
  const counted = await bed.coi(['clean', '--ownership', '--dry-run']);
  assert.match(counted.stdout, /4 entries in [^\n]*\n\[Dry run\]/);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
  const answer = await bed.coi(['clean', '--ownership']);
  assert.match(answer.stdout, /✓ Took ownership: 4 entries/);
  assert.equal(owner(`${bed.workspace.path}/db/suid`).uid, bed.user.uid);
  assert.match((await bed.coi(['clean', '--ownership'])).stdout, /Nothing to take ownership of/);
});

test('another user gains no ownership with --ownership', { timeout }, async () => {
  await using bed = await makeBed();
  await using other = await makeBed();
  const name = await startInBackground(bed, '--persistent');
  await createFiles(bed, name, '/workspace/db');
  await stopFromOutside(bed, name);
  const before = owner(`${bed.workspace.path}/db`);
  const answer = await other.coi(['clean', '--ownership', '--workspace', bed.workspace.path], {
    env: bed.coid.env,
  });
  assert.match(answer.stdout, /Nothing to take ownership of/);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
});
