// What containers leave under their own ids: given to the user when nobody can need it as it is any more.
import assert from 'node:assert/strict';
import { lstatSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { onlyInstance } from '../terminal/session.ts';
import { inside, stopFromOutside, storeOf } from './talk.ts';

const timeout = 120_000;

async function background(bed: Bed, ...args: string[]): Promise<string> {
  const before = new Set(await bed.instances());
  const said = await bed.coi(['shell', '--background', '--image', bed.image, ...args]);
  assert.equal(said.status, 0, said.stderr);
  const [name = ''] = (await bed.instances()).filter((one) => !before.has(one));
  return name;
}

/** What a database as root's service would leave: a directory that nobody else may enter, and a suid program. */
async function litter(bed: Bed, name: string, directory: string): Promise<void> {
  // May be run twice (see `execCaptured`).
  const script = `mkdir -p -m 700 ${directory} && echo 1 >${directory}/data && chown -R 999:999 ${directory} && cp /bin/true ${directory}/suid && chmod 4755 ${directory}/suid && ln -sf /etc/passwd ${directory}/link`;
  await inside(bed, name, 'sh', '-c', script);
}

const owner = (path: string) => {
  const { uid, gid } = lstatSync(path);
  return { uid, gid };
};

/** coid works beside what it answers: told by the owner of the directory, which changes first. */
async function givenBack(bed: Bed, path: string): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while (owner(`${path}/suid`).uid !== bed.user.uid || owner(`${path}/link`).uid !== bed.user.uid) {
    assert.equal(limit.aborted, false, `${path} belongs to ${owner(path).uid}`);
    // Each question is a round trip to coid.
    await bed.coid.status();
  }
}

/** Until coid has seen that the container is there. */
async function seen(bed: Bed): Promise<void> {
  const limit = AbortSignal.timeout(20_000);
  while ((await bed.coid.status())?.leases !== 0) limit.throwIfAborted();
}

for (const how of ['kill', 'poweroff', 'crash', 'crash before coid saw it'] as const) {
  test(`after ${how}: files of root and of services in the workspace and the store are the user's, and removable`, {
    timeout,
  }, async () => {
    // A reservation that coid has not seen become a container is given up after that time.
    await using bed = await makeBed({ coidEnv: { COI_LEASE_MS: '4000' } });
    const name = await background(bed);
    const { config } = await onlyInstance(bed);
    await litter(bed, name, '/workspace/db');
    await litter(bed, name, '/home/code/.claude/cache');
    const store = storeOf(bed, config['user.coi.session'] ?? '');
    assert.notEqual(owner(`${bed.workspace.path}/db`).uid, bed.user.uid);
    if (how.startsWith('crash')) {
      // While coid is away: it finds out when it starts again.
      if (how === 'crash') await seen(bed);
      await bed.coid.crash();
      assert.equal((await bed.coi(['kill', name])).status, 0);
      await bed.coid.start();
    } else if (how === 'kill') assert.equal((await bed.coi(['kill', name])).status, 0);
    else await bed.incus.execCaptured(name, { command: ['systemctl', 'poweroff', '--force'] });
    for (const path of [`${bed.workspace.path}/db`, `${store}/.claude/cache`]) {
      await givenBack(bed, path);
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

test('while another slot of the workspace lives nothing is touched, nor ever for a persistent one unasked', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [one, two] = [await background(bed), await background(bed, '--persistent')];
  await litter(bed, one, '/workspace/db');
  const before = owner(`${bed.workspace.path}/db`);
  assert.equal((await bed.coi(['kill', one])).status, 0);
  const refused = await bed.coi(['clean', '--ownership']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, new RegExp(`${two} runs in this workspace`));
  await stopFromOutside(bed, two);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
  const counted = await bed.coi(['clean', '--ownership', '--dry-run']);
  assert.match(counted.stdout, /4 entries in [^\n]*\n\[Dry run\]/);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
  const asked = await bed.coi(['clean', '--ownership']);
  assert.match(asked.stdout, /✓ Given back: 4 entries/);
  assert.equal(owner(`${bed.workspace.path}/db/suid`).uid, bed.user.uid);
  assert.match((await bed.coi(['clean', '--ownership'])).stdout, /Nothing to give back/);
});

test('another user gets nothing of it by asking', { timeout }, async () => {
  await using bed = await makeBed();
  await using other = await makeBed();
  const name = await background(bed, '--persistent');
  await litter(bed, name, '/workspace/db');
  await stopFromOutside(bed, name);
  const before = owner(`${bed.workspace.path}/db`);
  const asked = await other.coi(['clean', '--ownership', '--workspace', bed.workspace.path], {
    env: bed.coid.env,
  });
  assert.match(asked.stdout, /Nothing to give back/);
  assert.deepEqual(owner(`${bed.workspace.path}/db`), before);
});
