// Real Claude Code in two trees of one repository at once: each does its own work, both are merged, and a conversation goes
// on in its tree.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claudeOptions, makeAgentBed } from './agent-bed.ts';

test('two agents work on two branches at once, and their work is compared and merged', {
  timeout: 300_000,
}, async () => {
  await using agent = await makeAgentBed(claudeOptions);
  const { bed } = agent;
  const cwd = bed.workspace.path;
  const host = async (script: string) => {
    const { status, stdout, stderr } = await bed.user.run(['bash', '-ec', script], { cwd });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  const coi = async (...args: string[]) => {
    const { status, stdout, stderr } = await bed.coi(args);
    assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  await host(
    'git init -q -b main; git config user.name Ada; git config user.email a@example.invalid; seq 20 >shared.txt; git add .; git commit -qm first',
  );
  const one = await agent.start(['--branch', 'one']);
  const two = await agent.start(['--branch', 'two']);
  await Promise.all([
    coi('send', one, 'please run sed -i 1s/.*/one/ shared.txt; echo 1 >one.txt', '--wait'),
    coi('send', two, 'please run sed -i 20s/.*/two/ shared.txt; echo 2 >two.txt', '--wait'),
  ]);
  assert.equal(await host('ls'), 'shared.txt');
  const names = async (tree: string) => (await coi('diff', tree, '--name-only')).trim().split('\n');
  assert.deepEqual(await names('one'), ['one.txt', 'shared.txt']);
  assert.deepEqual(await names('two'), ['shared.txt', 'two.txt']);
  await coi('merge', 'one');
  await coi('merge', 'two', '--apply');
  await host('git commit -qm two');
  assert.equal(
    await host('sed -n "1p;20p" shared.txt; ls'),
    'one\ntwo\none.txt\nshared.txt\ntwo.txt',
  );
  await coi('kill', '-f', one, two);
  const screen = await agent.open(['--branch', 'one', '--resume']);
  await screen.waitFor(/please run sed -i 1s/);
});
