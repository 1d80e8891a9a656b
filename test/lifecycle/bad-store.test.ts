// What a hostile agent, a crash or a full disk has left: told, put right where that is safe, never fatal for others.
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
  say,
  sessionId,
  startMs,
  storeOf,
  talk,
} from './talk.ts';

const timeout = 180_000;

test('FIFOs, devices, directories and twenty thousand files that an agent left keep nobody from resuming', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await talk(bed);
  await say(first, 'still here');
  await leaveAgent(first);
  first.type(
    'clear; cd ~/.claude && rm -f settings.json .claude.json CLAUDE.md && mkfifo settings.json && sudo mknod .claude.json c 1 3; mkfifo projects/-workspace/zz.jsonl; mkdir many && (cd many && seq 20000 | xargs touch); echo made; sudo poweroff\r',
  );
  await first.ended(60_000);
  const again = await talk(bed, ['--resume']);
  assert.match(again.text(), /> still here/);
  const info = await bed.coi(['info']);
  assert.equal(info.status, 0, info.stderr);
  assert.match(info.stdout, /Present/);
  await detach(again);
  const { name } = await onlyInstance(bed);
  assert.equal((await bed.coi(['kill', name])).status, 0);
});

test('damaged metadata and aliases are named, and only what they are about is affected', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await talk(bed);
  const id = sessionId(first);
  await powerOff(first);
  const second = await talk(bed);
  const other = sessionId(second);
  await powerOff(second);
  writeFileSync(`${storeOf(bed, id)}/metadata.json`, '{"half');
  const named = await bed.coi(['shell', '--background', `--resume=${id}`]);
  assert.equal(named.status, 1);
  assert.match(named.stderr, /not found/);
  const told = await bed.coi(['info', id]);
  assert.match(told.stderr, /metadata\.json says nothing/);
  const listed = await bed.coi(['list', '--all']);
  assert.equal(listed.status, 0);
  assert.ok(listed.stdout.includes(other) && !listed.stdout.includes(id));
  homeFile(bed, '.coi/aliases.json', '{"a": ');
  const started = await talk(bed, ['--resume']);
  assert.equal(sessionId(started), other);
  const { name } = await onlyInstance(bed);
  const byAlias = await bed.coi(['shell', '--background', 'some-alias']);
  assert.equal(byAlias.status, 1);
  assert.match(byAlias.stderr, /aliases\.json is damaged/);
  assert.equal((await bed.coi(['kill', name])).status, 0);
});

test('a clock that was put back does not make an older session the newest', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await talk(bed);
  const id = sessionId(first);
  await powerOff(first);
  const future = { ...metadataOf(bed, id), saved_at: '2099-01-01T00:00:00+00:00' };
  writeFileSync(`${storeOf(bed, id)}/metadata.json`, JSON.stringify(future, null, 2));
  const second = await talk(bed);
  await powerOff(second);
  const again = await talk(bed, ['--resume']);
  assert.equal(sessionId(again), sessionId(second));
  await detach(again);
});

test('on a full disk a start fails with that reason and leaves nothing, and what is stored stays whole', {
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
  const first = await talk(bed);
  const id = sessionId(first);
  await say(first, 'before it was full');
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
  const again = await talk(bed, ['--resume']);
  assert.match(again.text(), /> before it was full/);
  again.type('/exit\r');
  await again.waitFor(/\$ *$/m, startMs);
  again.type('sudo poweroff\r');
  await again.ended(startMs);
});
