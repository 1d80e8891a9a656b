// Damage by a hostile agent, a crash or a full disk: reported, repaired if safe, never fatal for other sessions.
import assert from 'node:assert/strict';
import { readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { onlyInstance } from '../terminal/session.ts';
import {
  detach,
  homeFile,
  leaveAgent,
  metadataOf,
  powerOff,
  sendMessage,
  sessionId,
  startConversation,
  startMs,
  storeOf,
} from './conversation.ts';

const timeout = 180_000;

test('FIFOs, devices, directories and twenty thousand files left by an agent do not prevent a resume', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  await sendMessage(first, 'still here');
  await leaveAgent(first);
  first.type(
    'clear; cd ~/.claude && rm -f settings.json .claude.json CLAUDE.md && mkfifo settings.json && sudo mknod .claude.json c 1 3; mkfifo projects/-workspace/zz.jsonl; mkdir many && (cd many && seq 20000 | xargs touch); echo made; sudo poweroff\r',
  );
  await first.ended(60_000);
  const again = await startConversation(bed, ['--resume']);
  assert.match(again.text(), /> still here/);
  const info = await bed.coi(['info']);
  assert.equal(info.status, 0, info.stderr);
  assert.match(info.stdout, /Present/);
  await detach(again);
  const { name } = await onlyInstance(bed);
  assert.equal((await bed.coi(['kill', name])).status, 0);
});

test('damaged metadata and aliases are reported, and affect only their sessions', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await powerOff(first);
  const second = await startConversation(bed);
  const other = sessionId(second);
  await powerOff(second);
  writeFileSync(`${storeOf(bed, id)}/metadata.json`, '{"half');
  const named = await bed.coi(['shell', '--background', `--resume=${id}`]);
  assert.equal(named.status, 1);
  assert.match(named.stderr, /not found/);
  const reported = await bed.coi(['info', id]);
  assert.match(reported.stderr, /metadata\.json is unusable/);
  const listed = await bed.coi(['list', '--all']);
  assert.equal(listed.status, 0);
  assert.ok(listed.stdout.includes(other) && !listed.stdout.includes(id));
  homeFile(bed, '.coi/aliases.json', '{"a": ');
  const started = await startConversation(bed, ['--resume']);
  assert.equal(sessionId(started), other);
  const { name } = await onlyInstance(bed);
  const byAlias = await bed.coi(['shell', '--background', 'some-alias']);
  assert.equal(byAlias.status, 1);
  assert.match(byAlias.stderr, /aliases\.json is damaged/);
  assert.equal((await bed.coi(['kill', name])).status, 0);
});

test('setting the clock back does not make an older session the newest', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await powerOff(first);
  const future = { ...metadataOf(bed, id), saved_at: '2099-01-01T00:00:00+00:00' };
  writeFileSync(`${storeOf(bed, id)}/metadata.json`, JSON.stringify(future, null, 2));
  const second = await startConversation(bed);
  await powerOff(second);
  const again = await startConversation(bed, ['--resume']);
  assert.equal(sessionId(again), sessionId(second));
  await detach(again);
});

test('on a full disk a start fails with that reason and leaves nothing, and stored data stays intact', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using undo = new AsyncDisposableStack();
  const coi = `${bed.user.home}/.coi`;
  homeFile(bed, '.coi/config.toml', '');
  await mustRun([
    ...['mount', '-t', 'tmpfs', '-o', `size=1m,uid=${bed.user.uid},gid=${bed.user.gid},mode=700`],
    ...['tmpfs', coi],
  ]);
  undo.defer(async () => void (await mustRun(['umount', '--lazy', coi])));
  const first = await startConversation(bed);
  const id = sessionId(first);
  await sendMessage(first, 'before it was full');
  await powerOff(first);
  const before = readFileSync(`${storeOf(bed, id)}/metadata.json`, 'utf8');
  const { bavail, bsize } = statfsSync(coi);
  writeFileSync(`${coi}/filler`, Buffer.alloc(bavail * bsize));
  const full = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(full.status, 1);
  assert.match(full.stderr, /disk is full/);
  assert.deepEqual(await bed.instances(), []);
  assert.equal(readFileSync(`${storeOf(bed, id)}/metadata.json`, 'utf8'), before);
  await mustRun(['rm', `${coi}/filler`]);
  const again = await startConversation(bed, ['--resume']);
  assert.match(again.text(), /> before it was full/);
  again.type('/exit\r');
  await again.waitFor(/\$ *$/m, startMs);
  again.type('sudo poweroff\r');
  await again.ended(startMs);
});
