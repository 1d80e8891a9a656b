// One workspace with two names: its path and a link to it. A session started by one name is found by the other.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import {
  detach,
  metadataOf,
  powerOff,
  sendMessage,
  sessionId,
  startConversation,
  startMs,
  stopFromOutside,
} from './conversation.ts';

const timeout = 240_000;

function linkToWorkspace(bed: Bed, name: string): string {
  const link = join(bed.user.home, name);
  symlinkSync(bed.workspace.path, link);
  return link;
}

for (const begunBy of ['link', 'path'] as const) {
  test(`a session started by its ${begunBy} can be resumed, attached to and persisted by its other name`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const link = linkToWorkspace(bed, 'link');
    const another = linkToWorkspace(bed, 'another');
    const [first, other] =
      begunBy === 'link' ? [link, bed.workspace.path] : [bed.workspace.path, link];
    const conversation = await startConversation(bed, ['-w', first]);
    const id = sessionId(conversation);
    await sendMessage(conversation, 'the word is heron');
    assert.equal(
      metadataOf(bed, id)['workspace_real'],
      begunBy === 'link' ? bed.workspace.path : undefined,
    );
    // By slot, and as the only session of the workspace.
    for (const args of [['--slot', '1'], []]) {
      const attached = bed.screen(['attach', '-w', other, ...args]);
      await attached.waitFor('heron', startMs);
      await detach(attached);
    }
    await powerOff(conversation);
    const resumed = await startConversation(bed, ['-w', other, '--resume', '--persistent']);
    assert.equal(sessionId(resumed), id);
    assert.match(resumed.text(), /> the word is heron/);
    await detach(resumed);
    const [name = ''] = await bed.instances();
    assert.match((await bed.coi(['info', '-w', first])).stdout, new RegExp(id));
    // A persistent container restarts for each of the names.
    await stopFromOutside(bed, name);
    const again = await startConversation(bed, ['-w', another, '--persistent']);
    assert.match(again.output(), new RegExp(`Reusing stopped persistent container ${name}`));
    await detach(again);
    assert.deepEqual(await bed.instances(), [name]);
    const taken = await bed.coi(['snapshot', '-w', first, 'create', 'one']);
    assert.equal(taken.status, 0, taken.stderr);
  });
}

test('a link that is redirected to a workspace after its session started does not select sessions here', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const inside = join(bed.workspace.path, 'sub');
  mkdirSync(inside);
  chownSync(inside, bed.user.uid, bed.user.gid);
  const elsewhere = join(bed.user.home, 'elsewhere');
  mkdirSync(elsewhere);
  chownSync(elsewhere, bed.user.uid, bed.user.gid);
  const conversation = await startConversation(bed, ['-w', inside]);
  await powerOff(conversation);
  // An agent in the workspace around it can do this.
  await bed.user.run(['sh', '-c', 'rmdir "$1" && ln -s "$2" "$1"', 'sh', inside, elsewhere]);
  const result = await bed.coi(['shell', '--background', '--resume', '-w', elsewhere]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /no previous session to resume for this workspace/);
});

test("attach without arguments selects the workspace's only session, whatever runs elsewhere", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const elsewhere = join(bed.user.home, 'elsewhere');
  mkdirSync(elsewhere);
  chownSync(elsewhere, bed.user.uid, bed.user.gid);
  const one = await startConversation(bed);
  await sendMessage(one, 'this is mine');
  await detach(one);
  await detach(await startConversation(bed, ['-w', elsewhere]));
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
