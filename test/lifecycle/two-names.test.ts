// One workspace by two names: its path, and a link to it. A session that was begun by the one is found by the other.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import {
  detach,
  metadataOf,
  powerOff,
  say,
  sessionId,
  startMs,
  stopFromOutside,
  talk,
} from './talk.ts';

const timeout = 240_000;

function linked(bed: Bed, name: string): string {
  const link = join(bed.user.home, name);
  symlinkSync(bed.workspace.path, link);
  return link;
}

for (const begunBy of ['link', 'path'] as const) {
  test(`what was begun by its ${begunBy} is resumed, attached to and kept by its other name`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const link = linked(bed, 'link');
    const another = linked(bed, 'another');
    const [first, other] =
      begunBy === 'link' ? [link, bed.workspace.path] : [bed.workspace.path, link];
    const begun = await talk(bed, ['-w', first]);
    const id = sessionId(begun);
    await say(begun, 'the word is heron');
    assert.equal(
      metadataOf(bed, id)['workspace_real'],
      begunBy === 'link' ? bed.workspace.path : undefined,
    );
    // By slot, and as the workspace's only one.
    for (const args of [['--slot', '1'], []]) {
      const attached = bed.screen(['attach', '-w', other, ...args]);
      await attached.waitFor('heron', startMs);
      await detach(attached);
    }
    await powerOff(begun);
    const resumed = await talk(bed, ['-w', other, '--resume', '--persistent']);
    assert.equal(sessionId(resumed), id);
    assert.match(resumed.text(), /> the word is heron/);
    await detach(resumed);
    const [name = ''] = await bed.instances();
    assert.match((await bed.coi(['info', '-w', first])).stdout, new RegExp(id));
    // A container that is kept starts again for any of the names.
    await stopFromOutside(bed, name);
    const again = await talk(bed, ['-w', another, '--persistent']);
    assert.match(again.output(), new RegExp(`Reusing stopped persistent container ${name}`));
    await detach(again);
    assert.deepEqual(await bed.instances(), [name]);
    const taken = await bed.coi(['snapshot', '-w', first, 'create', 'one']);
    assert.equal(taken.status, 0, taken.stderr);
  });
}

test('a link that is led here after its session began brings no session here', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const inside = join(bed.workspace.path, 'sub');
  mkdirSync(inside);
  chownSync(inside, bed.user.uid, bed.user.gid);
  const elsewhere = join(bed.user.home, 'elsewhere');
  mkdirSync(elsewhere);
  chownSync(elsewhere, bed.user.uid, bed.user.gid);
  const begun = await talk(bed, ['-w', inside]);
  await powerOff(begun);
  // What an agent in the workspace around it can do.
  await bed.user.run(['sh', '-c', 'rmdir "$1" && ln -s "$2" "$1"', 'sh', inside, elsewhere]);
  const said = await bed.coi(['shell', '--background', '--resume', '-w', elsewhere]);
  assert.equal(said.status, 1);
  assert.match(said.stderr, /no previous session to resume for this workspace/);
});

test('a plain attach means the only session of its workspace, whatever runs elsewhere', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const elsewhere = join(bed.user.home, 'elsewhere');
  mkdirSync(elsewhere);
  chownSync(elsewhere, bed.user.uid, bed.user.gid);
  const one = await talk(bed);
  await say(one, 'this is mine');
  await detach(one);
  await detach(await talk(bed, ['-w', elsewhere]));
  const attached = bed.screen(['attach']);
  await attached.waitFor('this is mine', startMs);
  await detach(attached);
  const neither = join(bed.user.home, 'neither');
  mkdirSync(neither);
  assert.match(
    (await bed.coi(['attach', '-w', neither])).stdout,
    /^Active sessions:\n +1\. .*\n +2\. /,
  );
});
