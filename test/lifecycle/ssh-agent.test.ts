// The user's SSH agent in a session: a real agent, real git over a real ssh.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { onlyInstance } from '../terminal/session.ts';
import { startSshAgent } from './agent.ts';
import {
  detach,
  homeFile,
  leaveAgent,
  prompt,
  startConversation,
  startMs,
} from './conversation.ts';
import { openGitServer } from './sshd.ts';

const timeout = 240_000;
const wanted = '[ssh]\nforward_agent = true\n';
/** The SSH agent becomes available a second after the terminal. */
const whenThere = 'until [ -S "$SSH_AUTH_SOCK" ]; do sleep 0.1; done';

test('git uses ssh with the forwarded SSH agent, which switches on attach and ends when turned off', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', wanted);
  homeFile(
    bed,
    '.gitconfig',
    '[user]\n\tname = a\n\temail = a@a\n\tsigningkey = ~/one\n[gpg]\n\tformat = ssh\n[commit]\n\tgpgsign = true\n',
  );
  await using one = await startSshAgent(bed.user, 'one');
  await using server = await openGitServer(bed.user, `${bed.user.home}/one.pub`);
  const screen = await startConversation(bed, [], { env: { SSH_AUTH_SOCK: one.socket } });
  await leaveAgent(screen);
  screen.type(
    `clear; ${whenThere}; GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone ${server.url} /tmp/clone; echo "cloned $?"; stat -c '%U %a' $SSH_AUTH_SOCK\r`,
  );
  await screen.waitFor(/cloned 0\s+code 600/, startMs);
  screen.type(
    'clear; cd /tmp/clone && git commit -q --allow-empty -m x && git cat-file commit HEAD | grep SSH\r',
  );
  await screen.waitFor('BEGIN SSH SIGNATURE', startMs);
  await detach(screen);
  const { name } = await onlyInstance(bed);

  await using two = await startSshAgent(bed.user, 'two');
  await one[Symbol.asyncDispose]();
  const again = bed.screen(['attach'], { env: { SSH_AUTH_SOCK: two.socket } });
  await again.waitFor(prompt, startMs);
  again.type('clear; until ssh-add -l | grep two; do sleep 0.2; done\r');
  await again.waitFor(/ two \(ED25519\)/, startMs);
  await detach(again);

  homeFile(bed, '.coi/config.toml', '');
  using events = await Lifecycle.open(bed.incus);
  const off = bed.screen(['attach'], { env: { SSH_AUTH_SOCK: two.socket } });
  await off.waitFor(prompt, startMs);
  await events.until('instance-updated', name);
  assert.equal(await connected(bed), undefined);
  off.type(
    'clear; until tmux show-environment SSH_AUTH_SOCK | grep -e -SSH; do sleep 0.1; done; ls /tmp/ssh-agent.sock\r',
  );
  await off.waitFor(/^-SSH_AUTH_SOCK[\s\S]*No such file/m);
  await detach(off);
});

test('without an SSH agent one line says so, and the session has no SSH_AUTH_SOCK', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', wanted);
  const screen = await startConversation(bed, [], { env: { SSH_AUTH_SOCK: '/nowhere' } });
  assert.equal(screen.output().split('SSH agent forwarding skipped').length, 2);
  await leaveAgent(screen);
  screen.type('echo "<$SSH_AUTH_SOCK>"\r');
  await screen.waitFor('<>');
  assert.equal(await connected(bed), undefined);
});

test('a persistent container starts without its previous SSH agent and gets the current one', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', wanted);
  await using one = await startSshAgent(bed.user, 'one');
  const first = await startConversation(bed, ['--persistent'], {
    env: { SSH_AUTH_SOCK: one.socket },
  });
  await leaveAgent(first);
  first.type(`clear; ${whenThere}; echo there\r`);
  await first.waitFor(/^there/m, startMs);
  first.type('sudo poweroff\r');
  await first.ended(startMs);
  await using two = await startSshAgent(bed.user, 'two');
  const second = await startConversation(bed, ['--persistent'], {
    env: { SSH_AUTH_SOCK: two.socket },
  });
  await leaveAgent(second);
  second.type('clear; until ssh-add -l | grep two; do sleep 0.2; done\r');
  await second.waitFor(/ two \(ED25519\)/, startMs);
});

async function connected(bed: Bed): Promise<string | undefined> {
  return (await onlyInstance(bed)).devices['ssh-agent']?.['connect'];
}

test('a prompt without a terminal and a fork have the SSH agent too', { timeout }, async () => {
  await using bed = await makeBed();
  await using one = await startSshAgent(bed.user, 'one');
  const wait = `${whenThere.replaceAll('"', '\\"')}; ssh-add -l >>keys`;
  homeFile(bed, '.coi/config.toml', `${wanted}[tool]\npre_launch = ["${wait}"]\n`);
  const coi = async (...args: string[]) => {
    const result = await bed.coi(args, { env: { SSH_AUTH_SOCK: one.socket }, limitMs: 60_000 });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const keys = () => readFileSync(`${bed.workspace.path}/keys`, 'utf8').trim().split('\n').length;
  await coi('run', '--image', bed.image, '--prompt', 'hello');
  assert.equal(keys(), 1);
  await coi('shell', '--image', bed.image, '--background');
  const { name } = await onlyInstance(bed);
  const forked = JSON.parse(await coi('fork', name, '--json'));
  const there = `${whenThere}; ssh-add -l`;
  const exec = ['container', 'exec', forked.container, '--user', '1000'];
  const fingerprint = await coi(
    ...exec,
    ...['--env', 'SSH_AUTH_SOCK=/tmp/ssh-agent.sock', '--', 'bash', '-c', there],
  );
  assert.match(fingerprint, / one \(ED25519\)/);
});
