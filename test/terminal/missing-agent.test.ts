// An agent that the image does not have: the start ends with the way to get it, and nothing of it is left.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { endMs, homeFile, prompt, talk } from '../lifecycle/talk.ts';

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

test('a missing agent is refused in every way to start it', { timeout }, async () => {
  await using bed = await bedWithout();
  for (const [how, args] of Object.entries(ways)) {
    const said = await bed.coi([...args, '--image', bed.image]);
    assert.equal(said.status, args[0] === 'run' ? 125 : 1, `${how}: ${said.stderr}`);
    assert.match(said.stderr, /image '\S+' has no program 'codex'/, how);
    assert.match(said.stderr, /\[container\.build\]/, how);
    await nothingLeft(bed);
  }
});

test('on a terminal there is no bare shell', { timeout }, async () => {
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

test('the default image is built with it by what the hint says', { timeout }, async () => {
  await using bed = await bedWithout();
  homeFile(bed, '.coi/config.toml', '[container.build]\nagents = ["claude"]\n');
  const { status, stderr } = await bed.coi(['shell', '--background', '--tool', 'codex']);
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /agents = \["claude", "codex"\] under \[container\.build\].*`coi build --force`/,
  );
});

test('an agent that a user installs at the start, or that is there, is started', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await talk(bed);
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
