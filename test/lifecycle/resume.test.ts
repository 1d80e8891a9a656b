// Resuming: selection of the session, inherited settings, and refusals.
import assert from 'node:assert/strict';
import {
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { makeBed, type Who } from '../bed/bed.ts';
import { untilWritten } from '../bed/until.ts';
import { onlyInstance } from '../terminal/session.ts';
import {
  conversationText,
  detach,
  homeFile,
  leaveAgent,
  metadataOf,
  powerOff,
  sendMessage,
  sessionId,
  startConversation,
  stopFromOutside,
  storeOf,
} from './conversation.ts';

const timeout = 180_000;

for (const who of ['ordinary', 'root'] satisfies Who[]) {
  test(`${who}: a conversation survives a poweroff, in the same slot under the same id`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const first = await startConversation(bed, ['--slot', '2']);
    await sendMessage(first, 'the word is heron');
    const id = sessionId(first);
    const { name } = await onlyInstance(bed);
    await powerOff(first);
    const again = await startConversation(bed, ['--resume']);
    assert.match(again.output(), new RegExp(`Auto-detected session: ${id}`));
    assert.match(again.output(), /Reusing original slot 2 from session/);
    assert.match(again.text(), /Resuming session[\s\S]*> the word is heron/);
    assert.equal(sessionId(again), id);
    assert.equal((await onlyInstance(bed)).name, name);
    await sendMessage(again, 'and the number seven');
    await powerOff(again, 'poweroff');
    assert.match(conversationText(bed, id), /heron[\s\S]*seven/);
    assert.deepEqual(await bed.instances(), []);
    const third = await startConversation(bed, [`--continue=${id}`]);
    assert.match(third.output(), new RegExp(`Resuming session: ${id}`));
    assert.match(third.text(), /> the word is heron[\s\S]*> and the number seven/);
    await detach(third);
  });
}

test("a resume of another workspace's id, an unknown id or a live id is refused, the last with its container", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await detach(first);
  const { name } = await onlyInstance(bed);
  const refused = async (args: string[], words: RegExp, cwd?: string) => {
    const { status, stderr } = await bed.coi(
      ['shell', '--background', '--image', bed.image, ...args],
      cwd === undefined ? {} : { cwd },
    );
    assert.equal(status, args.includes('--resume=../../etc') ? 2 : 1, stderr);
    assert.match(stderr, words);
  };
  await refused(['--resume'], new RegExp(`is live in ${name}`));
  await refused([`--resume=${id}`], new RegExp(`is live in ${name}`));
  const other = `${bed.user.home}/elsewhere`;
  mkdirSync(other);
  chownSync(other, bed.user.uid, bed.user.gid);
  await refused([`--resume=${id}`], new RegExp(`another workspace: ${bed.workspace.path}`), other);
  await refused(['--resume'], /no previous session to resume for this workspace/, other);
  await refused(
    ['--resume=00000000-0000-4000-8000-000000000000'],
    /'00000000-0000-4000-8000-000000000000' not found/,
  );
  await refused(['--resume=../../etc'], /invalid session id/);
  assert.deepEqual(await bed.instances(), [name]);
});

test("concurrent resumes: one wins, the other fails with session-live and the container's name", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await powerOff(first);
  const resume = (...args: string[]) =>
    bed.coi(['shell', '--background', '--image', bed.image, `--resume=${id}`, ...args]);
  for (const how of ['in a new container', 'in the kept one']) {
    const tries = await Promise.all([resume('--persistent'), resume('--persistent')]);
    assert.deepEqual(tries.map(({ status }) => status).sort(), [0, 1], how);
    const { name, status } = await onlyInstance(bed);
    assert.equal(status, 'Running', how);
    assert.match(tries.map(({ stderr }) => stderr).join(''), new RegExp(`Error: .* ${name}`), how);
    await stopFromOutside(bed, name);
  }
});

test('a resume that loses the race leaves the live store untouched', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await powerOff(first);
  const { home } = bed.user;
  const gate = `${home}/gate`;
  assert.equal((await bed.user.run(['mkfifo', gate])).status, 0);
  homeFile(
    bed,
    'held.toml',
    `[tool]
permission_mode = "interactive"
[defaults]
env_command_timeout = "120s"
[defaults.env_commands]
GATE = "echo >reached-$HOW; cat gate"
`,
  );
  const resume = ['shell', '--background', '--image', bed.image, `--resume=${id}`];
  for (const how of ['fresh', 'kept']) {
    const env = { COI_CONFIG: `${home}/held.toml`, HOW: how };
    const loser = bed.startCoi(resume, { env });
    await untilWritten(`${home}/reached-${how}`);
    const winner = await bed.coi([...resume, '--persistent']);
    assert.equal(winner.status, 0, winner.stderr);
    const before = stateOf(storeOf(bed, id));
    writeFileSync(gate, '');
    const { status, stderr } = await loser.result;
    assert.equal(status, 1, stderr);
    const { name } = await onlyInstance(bed);
    assert.match(stderr, new RegExp(`Error: .*${name}`), how);
    assert.deepEqual(stateOf(storeOf(bed, id)), before, how);
    await stopFromOutside(bed, name);
  }
});

function loginFile(token: string): string {
  const claudeAiOauth = { accessToken: token, refreshToken: `refresh-${token}` };
  return JSON.stringify({ claudeAiOauth });
}

/** Every entry below a directory with its modification time. */
function stateOf(top: string): string[] {
  const names = readdirSync(top, { recursive: true, encoding: 'utf8' });
  return names
    .map((name) => {
      const { ino, size, mtimeNs, ctimeNs } = lstatSync(`${top}/${name}`, { bigint: true });
      return `${name} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    })
    .sort();
}

test('a resume inherits profile, persistence and tool, and a flag overrides each', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(
    bed,
    '.coi/profiles/deep/config.toml',
    '[environment]\nDEPTH = "down"\n[container]\npersistent = true\n',
  );
  const first = await startConversation(bed, ['--profile', 'deep']);
  const id = sessionId(first);
  await leaveAgent(first);
  first.type('echo "<$DEPTH>"\r');
  await first.waitFor('<down>');
  assert.deepEqual(
    [metadataOf(bed, id)['profile_name'], metadataOf(bed, id)['persistent']],
    ['deep', true],
  );
  first.type('sudo poweroff\r');
  await first.ended();
  // The container was removed for another reason: the session resumes in a new one, which is persistent again.
  assert.equal((await bed.coi(['clean', '--all', '--force'])).status, 0);
  assert.deepEqual(await bed.instances(), []);
  const again = await startConversation(bed, ['--resume']);
  assert.equal(sessionId(again), id);
  await leaveAgent(again);
  again.type('echo "<$DEPTH>"\r');
  await again.waitFor('<down>');
  const { config: keys } = await onlyInstance(bed);
  assert.equal(keys['user.coi.persistent'], 'true');
  assert.equal(keys['user.coi.profile'], 'deep');
  again.type('sudo poweroff\r');
  await again.ended();
  const third = await startConversation(bed, ['--resume', '--persistent=false']);
  assert.match(third.output(), /same container/);
  await powerOff(third);
  assert.deepEqual(await bed.instances(), []);
});

test('a login renewed on the host reaches the resumed session, and a planted link is not followed', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { home, uid, gid } = bed.user;
  homeFile(bed, '.claude/.credentials.json', loginFile('old'));
  const first = await startConversation(bed);
  const id = sessionId(first);
  await leaveAgent(first);
  const secret = `${mkdtempSync(`${home}/secret-`)}/key`;
  writeFileSync(secret, 'private');
  chownSync(secret, uid, gid);
  first.type(
    `rm ~/.claude/settings.json; ln -s ${secret} ~/.claude/settings.json; rm ~/.claude/.credentials.json; ln -s ${secret} ~/.claude/.credentials.json; sudo poweroff\r`,
  );
  await first.ended();
  homeFile(bed, '.claude/.credentials.json', loginFile('new'));
  const again = await startConversation(bed, ['--resume'], {});
  await leaveAgent(again);
  again.type('clear; cat ~/.claude/.credentials.json; echo; ls -l ~/.claude/\r');
  await again.waitFor(/"accessToken": "new"[\s\S]*settings\.json/);
  assert.ok(!again.text().includes('->'), again.text());
  assert.equal(readFileSync(secret, 'utf8'), 'private');
  assert.ok(!conversationText(bed, id).includes('private'));
  await detach(again);
});
