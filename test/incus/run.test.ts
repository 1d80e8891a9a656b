// coi run: the workspace script, prompts, JSON and time limits, through the built program.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { untilGone } from '../bed/until.ts';

const timeout = 120_000;
let bed: Bed;
before(async () => {
  bed = await makeBed();
});
after(async () => bed?.[Symbol.asyncDispose]());

const run = (...args: string[]) => bed.coi(['run', '--image', bed.image, ...args]);

async function writeAsUser(path: string, text: string, mode = 0o644): Promise<void> {
  const full = join(bed.workspace.path, path);
  await writeFile(full, text);
  await chmod(full, mode);
  await chown(full, bed.user.uid, bed.user.gid);
}

async function config(text: string): Promise<void> {
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.toml'), text);
  await chown(directory, bed.user.uid, bed.user.gid);
}

test('coi run without a command runs the workspace script, if there is one', {
  timeout,
}, async () => {
  const none = await run();
  assert.equal(none.status, 2);
  assert.match(none.stderr, /no command given, and there is no \.\/coi-run/);
  await writeAsUser('coi-run', '#!/bin/sh\necho "ran in $PWD"; exit 4\n');
  const plain = await run();
  assert.equal(plain.status, 126);
  assert.match(plain.stderr, /cannot be executed\nHint: chmod \+x coi-run/);
  await chmod(join(bed.workspace.path, 'coi-run'), 0o755);
  const ran = await run();
  assert.deepEqual([ran.status, ran.stdout], [4, 'ran in /workspace\n'], ran.stderr);
  const elsewhere = join(bed.workspace.path, 'elsewhere');
  await mkdir(elsewhere);
  await symlink('/bin/true', join(elsewhere, 'coi-run'));
  const out = await run('--workspace', 'elsewhere');
  assert.match(out.stderr, /leads out of the workspace/);
});

test('coi run keeps the two outputs apart, passes stdin byte for byte, and exits with the status', {
  timeout,
}, async () => {
  const input = randomBytes(300_000);
  const result = await bed.coi(
    ['run', '--image', bed.image, '--', 'sh', '-c', 'base64 -w0; echo err >&2; exit 7'],
    { input },
  );
  assert.equal(result.status, 7, result.stderr);
  assert.ok(result.stdout === input.toString('base64'), 'the input');
  assert.match(result.stderr, /^err$/m);
});

test('ctrl-c ends the command of coi run, or its start, and leaves nothing', {
  timeout,
}, async () => {
  for (const moment of ['Executing:', /^begun$/m]) await interruptedAt(moment);
});

async function interruptedAt(moment: string | RegExp): Promise<void> {
  const screen = bed.screen([
    'run',
    '--verbose',
    '--image',
    bed.image,
    '--',
    'sh',
    '-c',
    'echo begun; sleep 600',
  ]);
  await screen.waitFor(moment);
  const names = await bed.instances();
  screen.key('ctrl-c');
  assert.equal((await screen.ended()).status, 130);
  for (const name of names) await untilGone(bed.incus, name, 30_000);
  await untilUnmounted(bed.coid.runDir);
}

test('coi run --json has output and status, and --timeout ends long commands', {
  timeout,
}, async () => {
  const result = await run('--json', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3');
  assert.equal(result.status, 3);
  const { container, duration_ms, ...rest } = JSON.parse(result.stdout);
  assert.deepEqual(rest, { exit_code: 3, stdout: 'out\n', stderr: 'err\n' });
  assert.ok(container.startsWith(bed.prefix) && duration_ms >= 0);
  const late = await run('--timeout', '1', '--', 'sleep', '60');
  assert.equal(late.status, 124);
  assert.match(late.stderr, /did not end within 1/);
  assert.equal((await run('--timeout', 'soon', '--', 'true')).status, 2);
});

test('coi run answers a prompt, and its conversation can be resumed with --resume', {
  timeout,
}, async () => {
  const prompted = await run('--prompt', "what's $this?");
  assert.equal(prompted.status, 0, prompted.stderr);
  assert.match(prompted.stdout, /You said: what's \$this\?/);
  assert.deepEqual(await bed.instances(), []);
  const again = await run('--resume', '--prompt', 'and that?');
  assert.match(
    again.stdout,
    /Resuming session [\s\S]*> what's \$this\?[\s\S]*You said: and that\?/,
    again.stderr,
  );
  const store = join(bed.user.home, '.coi/sessions-claude');
  const [id = '', ...more] = await readdir(store);
  assert.deepEqual(more, []);
  const files = (await readdir(join(store, id), { recursive: true })).filter((path) =>
    path.endsWith('.jsonl'),
  );
  assert.equal(files.length, 1);
  assert.match(
    await readFile(join(store, id, files[0] ?? ''), 'utf8'),
    /what's \$this[\s\S]*and that/,
  );
});

test('prompts come from a file or by name, from one source only', { timeout }, async () => {
  await writeAsUser('ask.md', 'from the file\n');
  assert.match((await run('--prompt-file', 'ask.md')).stdout, /You said: from the file/);
  await config('[prompts]\nshort = "from the config"\n');
  assert.match((await run('--prompt-name', 'short')).stdout, /You said: from the config/);
  await writeAsUser('empty', ' \n');
  for (const args of [
    ['--prompt', 'a', '--prompt-file', 'ask.md'],
    ['--prompt', 'a', '--', 'ls'],
    ['--prompt-file', 'none'],
    ['--prompt-file', 'empty'],
    ['--prompt-name', 'none'],
    ['--tool', 'aider', '--prompt', 'a'],
  ])
    assert.equal((await run(...args)).status, 2, args.join(' '));
  await config('[tool]\npermission_mode = "interactive"\n');
  const interactive = await run('--prompt', 'a');
  assert.equal(interactive.status, 2);
  assert.match(interactive.stderr, /permission_mode/);
  assert.deepEqual(await bed.instances(), []);
});

test('tool spec prints how the agent is started', { timeout }, async () => {
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  const spec = async (...args: string[]) =>
    bed.coi(['tool', 'spec', '--container', 'coi-x-1', '--session-id', id, ...args], {
      env: { COI_USE_DUMMY: '' },
    });
  await config('');
  const plain = JSON.parse((await spec('--json')).stdout);
  const [program, verbose, settings, hooks, ...more] = plain.command;
  assert.deepEqual([program, verbose, settings], ['claude', '--verbose', '--settings']);
  assert.match(hooks, /^\{"hooks":\{"PermissionRequest":/);
  assert.deepEqual(more, ['--permission-mode', 'bypassPermissions', '--session-id', id]);
  assert.equal(plain.env.CLAUDE_CONFIG_DIR, '/home/code/.claude');
  assert.equal(plain.prompt, undefined);
  const prompt = JSON.parse((await spec('--prompt-file', 'ask.md', '--resume-latest')).stdout);
  assert.deepEqual(prompt.command, [
    'claude',
    '--print',
    '--permission-mode',
    'bypassPermissions',
    '--continue',
  ]);
  assert.equal(prompt.prompt, 'from the file\n');
  const resumed = JSON.parse((await spec('--continue=abc')).stdout);
  assert.deepEqual(resumed.command.slice(-2), ['--resume', 'abc']);
  assert.equal((await spec('--continue', '--resume-latest')).status, 2);
  assert.equal((await bed.coi(['tool', 'spec', '--container', 'x'])).status, 2);
});

test('the workspace is mounted at its host path if configured', { timeout }, async () => {
  await config('[paths]\npreserve_workspace_path = true\n');
  const { status, stdout, stderr } = await run('--', 'pwd');
  await config('');
  assert.deepEqual([status, stdout], [0, `${bed.workspace.path}\n`], stderr);
});

test('a persistent container is reused with the software that was installed in it', {
  timeout,
}, async () => {
  const first = await run(
    '--persistent',
    '--',
    'sh',
    '-c',
    'echo kept | sudo tee /etc/of-this-run',
  );
  assert.equal(first.status, 0, first.stderr);
  const [name] = await bed.instances();
  const second = await run('--persistent', '--', 'cat', '/etc/of-this-run');
  assert.deepEqual([second.status, second.stdout], [0, 'kept\n'], second.stderr);
  assert.match(second.stderr, /Restarting existing persistent container/);
  assert.deepEqual(await bed.instances(), [name]);
  assert.equal((await bed.coi(['kill', '--force', name ?? ''])).status, 0);
});

test('the agent can ping without root', { timeout }, async () => {
  await using bed = await makeBed();
  const pinged = await bed.coi([
    ...['run', '--image', bed.image, '--'],
    ...['sh', '-c', 'id -u && ping -c 1 -W 5 127.0.0.1'],
  ]);
  assert.equal(pinged.status, 0, pinged.stderr);
  assert.match(pinged.stdout, /^1000\n(?:.*\n)*1 packets transmitted, 1 received/);
});

test('coi run reports pending project settings as coi shell does', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const directory = join(bed.workspace.path, '.coi');
  await mkdir(directory);
  await writeFile(join(directory, 'config.toml'), '[defaults]\nforward_env = ["HOME"]\n');
  const ran = await bed.coi(['run', '--image', bed.image, '--', 'echo', 'ran']);
  assert.deepEqual([ran.status, ran.stdout], [0, 'ran\n'], ran.stderr);
  assert.match(ran.stderr, /forward_env.*coi trust/);
});
