// An agent that the image lacks: the start fails with a hint how to get it, and leaves nothing.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { endMs, homeFile, prompt, startConversation } from '../lifecycle/conversation.ts';

const timeout = 180_000;
const bedWithout = () => makeBed({ env: { COI_USE_DUMMY: '0' } });

async function nothingLeft(bed: Bed): Promise<void> {
  assert.deepEqual(await bed.instances(), []);
  const top = `${bed.user.home}/.coi`;
  const stores = readdirSync(top).filter((name) => name.startsWith('sessions-'));
  for (const store of stores) assert.deepEqual(readdirSync(`${top}/${store}`), [], store);
}

const ways: Readonly<Record<string, readonly string[]>> = {
  'in the background': ['shell', '--background', '--tool', 'codex'],
  'as JSON': ['shell', '--background', '--json', '--tool', 'codex'],
  'in a persistent machine': ['shell', '--background', '--persistent', '--tool', 'codex'],
  'for a prompt': ['run', '--prompt', 'hello', '--tool', 'codex'],
  'for a prompt in a persistent machine': [
    'run',
    '--persistent',
    '--prompt',
    'x',
    '--tool',
    'codex',
  ],
  'for a prompt, as JSON': ['run', '--prompt', 'hello', '--json', '--tool', 'codex'],
};

test('a missing agent is refused for every way to start it', { timeout }, async () => {
  await using bed = await bedWithout();
  for (const [how, args] of Object.entries(ways)) {
    const result = await bed.coi([...args, '--image', bed.image]);
    assert.equal(result.status, args[0] === 'run' ? 125 : 1, `${how}: ${result.stderr}`);
    assert.match(result.stderr, /image '\S+' has no program 'codex'/, how);
    assert.match(result.stderr, /\[container\.build\]/, how);
    await nothingLeft(bed);
  }
});

test('a missing agent does not open a bare shell on a terminal', { timeout }, async () => {
  await using bed = await bedWithout();
  for (const more of [[], ['--no-tmux']]) {
    const screen = bed.screen(['shell', '--image', bed.image, '--tool', 'codex', ...more]);
    const { status } = await screen.ended(endMs);
    assert.equal(status, 1, screen.output());
    assert.match(screen.output(), /has no program 'codex'/);
    assert.doesNotMatch(screen.output(), prompt);
    await nothingLeft(bed);
  }
});

test('the command in the hint builds the default image with the agent', { timeout }, async () => {
  await using bed = await bedWithout();
  homeFile(bed, '.coi/config.toml', '[container.build]\nagents = ["claude"]\n');
  const { status, stderr } = await bed.coi(['shell', '--background', '--tool', 'codex']);
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /agents = \["claude", "codex"\] under \[container\.build\].*`coi build --force`/,
  );
});

test('an agent that is installed at start, or exists already, is started', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  assert.match(screen.text(), /You:/);
  await bed.coi(['kill', '--all', '--force']);
  await screen.ended(endMs);
  homeFile(
    bed,
    '.coi/config.toml',
    `[tool]\npre_launch = ["sudo ln -s /usr/local/bin/dummy /usr/local/bin/late"]\nbinary = "late"\n`,
  );
  const late = bed.screen(['shell', '--image', bed.image], { env: { COI_USE_DUMMY: '0' } });
  await late.waitFor('You:', endMs);
});
