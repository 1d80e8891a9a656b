// Runs the examples of the guide on real containers: every `sh test` block in a workspace of its page, as an ordinary
// user, and every line of the `text output` block after it has to be in what it printed. Every toml block is a
// configuration that coi takes; the example program runs.
import assert from 'node:assert/strict';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { pages, root } from './pages.ts';

const timeout = 120_000;
const killAll = ['kill', '--all', '--force'];
let bed: Bed;

before(async () => {
  bed = await makeBed();
  await own(join(bed.user.home, '.coi'));
  // The pages speak of the user's usual image, which takes minutes to build.
  await owned(join(bed.user.home, '.coi/config.toml'), `[container]\nimage = "${bed.image}"\n`);
});
after(async () => bed?.[Symbol.asyncDispose]());

async function own(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chown(directory, bed.user.uid, bed.user.gid);
}

async function owned(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chown(file, bed.user.uid, bed.user.gid);
}

/** A directory of the user's, below one of its own, so that a page may write beside it. */
async function workspaceOf(name: string): Promise<string> {
  const directory = join(bed.user.home, name.replace('/', '-'), 'shop');
  await own(dirname(directory));
  await own(directory);
  return directory;
}

function inShell(script: string, cwd: string) {
  const env = { ...bed.env, PATH: `${dirname(coiPath())}:${bed.user.env['PATH']}`, COI_CONFIG: '' };
  return bed.user.run(['bash', '--norc', '-euo', 'pipefail', '-c', script], {
    cwd,
    env,
    limitMs: timeout,
  });
}

for (const { name, blocks } of pages()) {
  const scripts = blocks.filter(({ kind }) => kind === 'sh test');
  if (scripts.length > 0)
    test(`${name}: its commands do what it says`, { timeout }, async () => {
      const cwd = await workspaceOf(name);
      await using _ = { [Symbol.asyncDispose]: async () => void (await bed.coi(killAll)) };
      for (const [index, { kind, text }] of blocks.entries()) {
        if (kind !== 'sh test') continue;
        const said = await inShell(text, cwd);
        const all = `${said.stdout}${said.stderr}`;
        assert.equal(said.status, 0, `${text}\n${all}`);
        const next = blocks[index + 1];
        if (next?.kind !== 'text output') continue;
        for (const line of next.text.trim().split('\n'))
          assert.ok(all.includes(line), `no "${line}" in what this printed:\n${text}\n${all}`);
      }
    });

  const configurations = blocks.filter(({ kind }) => kind === 'toml');
  if (configurations.length > 0)
    test(`${name}: its configuration is one that coi takes`, { timeout }, async () => {
      const file = join(await workspaceOf(name), 'example.toml');
      for (const { text } of configurations) {
        await owned(file, text);
        const said = await bed.coi(['validate', 'config', file]);
        assert.equal(said.status, 0, `${text}\n${said.stdout}${said.stderr}`);
      }
    });
}

test('the example program runs a command in several machines at once, and leaves none', {
  timeout,
}, async () => {
  const cwd = await workspaceOf('example');
  const argv = [process.execPath, join(root, 'examples/everywhere.ts'), '2', 'sh', '-c', 'pwd'];
  const said = await bed.user.run(argv, { cwd, env: bed.env, limitMs: timeout });
  assert.equal(said.stderr, '');
  assert.deepEqual(said.stdout.split('\n').sort(), [
    '',
    '2 sessions run',
    'slot 1: status 0: /workspace',
    'slot 2: status 0: /workspace',
  ]);
  assert.deepEqual(await bed.instances(), []);
});

test('the library passes input and variables, tells outcomes, attaches, and names what does not exist', {
  timeout,
}, async () => {
  const cwd = await workspaceOf('library');
  // Inside the package, so that `coi` means this checkout.
  const script = join(root, 'test/docs/library-user.ts');
  const screen = bed.command([process.execPath, script], { cwd });
  await screen.waitFor('You:', 30_000);
  screen.key('ctrl-b d');
  await screen.ended(30_000);
  const shown = screen.text();
  for (const line of ['ran 3 in out err', 'root 0', 'left', 'session-not-found', 'ended'])
    assert.ok(shown.includes(line), shown);
  assert.deepEqual(await bed.instances(), []);
});
