// Scripts and home directories of Go program users: both keep working with this program.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { jsonShapes } from '../../src/cli/ui/json-shapes.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { coiPath } from '../bed/program.ts';
import { mismatches } from '../cli/shape.ts';

const timeout = 180_000;
const old = '11111111-1111-4111-8111-111111111111';
const elsewhere = '33333333-3333-4333-8333-333333333333';
const conversation = '22222222-2222-4222-8222-222222222222';
let bed: Bed;

before(async () => {
  bed = await makeBed({ git: true });
  const { home } = bed.user;
  await mkdir(join(home, 'bin'));
  await symlink(coiPath(), join(home, 'bin/coi'));
  const hash = createHash('sha256').update(bed.workspace.path).digest('hex').slice(0, 8);
  const files: Record<string, string> = {
    'config.toml': `[container]\nimage = "${bed.image}"\n[defaults]\nforward_env = ["GREETING"]\n[incus]\nproject = "default"\ndisable_shift = true\n`,
    'profiles/kept/config.toml':
      '[container]\npersistent = true\n[environment]\nFROM_PROFILE = "yes"\n',
    'aliases.json': JSON.stringify({ work: { workspace: bed.workspace.path, profile: 'kept' } }),
    // As version 0.8 and later ones wrote it.
    [`sessions-claude/${old}/metadata.json`]: `{\n  "session_id": "${old}",\n  "container_name": "${bed.prefix}${hash}-3",\n  "persistent": false,\n  "workspace": "${bed.workspace.path}",\n  "saved_at": "2026-02-01T10:00:00+01:00"\n}\n`,
    [`sessions-claude/${old}/.claude/projects/-workspace/${conversation}.jsonl`]: '{}\n',
    [`sessions-claude/${old}/.claude/memory`]: 'saved by file copy\n',
    [`sessions-claude/${elsewhere}/metadata.json`]: `{"session_id":"${elsewhere}","container_name":"coi-deadbeef-1","persistent":true,"profile_name":"kept","workspace":"/some \\"where","saved_at":"2026-03-01T10:00:00Z"}`,
    [`sessions-claude/${elsewhere}/.claude/memory`]: 'x\n',
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(home, '.coi', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  await mustRun(['chown', '-R', `${bed.user.uid}:${bed.user.gid}`, join(home, '.coi')]);
});
after(async () => bed?.[Symbol.asyncDispose]());

/** Runs a bash script with `coi` on its PATH, in the workspace; the script stops at the first failing command. */
async function runBash(text: string): Promise<string[]> {
  const env = { ...bed.env, GREETING: 'good day', PATH: `${bed.user.home}/bin:/usr/bin:/bin` };
  const argv = ['bash', '-euc', `set -o pipefail\n${text}`];
  const result = await bed.user.run(argv, { cwd: bed.workspace.path, env, limitMs: timeout });
  assert.equal(result.status, 0, `${result.stdout}\n${result.stderr}`);
  return result.stdout.trimEnd().split('\n');
}

test("the predecessor's home is used unchanged: its sessions are listed and can be resumed", {
  timeout,
}, async () => {
  const lines = await runBash(`
    coi list --all | grep -A2 -F -e ${old} -e ${elsewhere}
    coi info | grep -e 'Session ID' -e 'Session Data' -e Resume
    coi profile list | grep kept
    coi shell --background --resume 2>log
    grep -e 'Auto-detected session' -e 'Reusing original slot' log
    name=$(sed -n 's/^Container: //p' log | head -1)
    coi container exec "$name" --user 1000 -- cat /home/code/.claude/memory
    until coi tmux capture "$name" | grep 'Resuming session'; do :; done
    coi shell --resume=${elsewhere} --background 2>&1 | grep -o 'belongs to another workspace' || true
    coi kill "$name" | tail -1
    coi list --all | grep -c ${old}
  `);
  const workspace = bed.workspace.path;
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/^(Saved:).*/, '$1')),
    [
      elsewhere,
      'Saved:',
      'Workspace: /some "where',
      old,
      'Saved:',
      `Workspace: ${workspace}`,
      `Session ID:     ${old}`,
      'Session Data:   ✓ Present (.claude directory)',
      `Resume:         coi shell --resume=${old}`,
      `kept      ${bed.image}  true                  ${bed.user.home}/.coi/profiles/kept/config.toml`,
      `Auto-detected session: ${old}`,
      'Reusing original slot 3 from session',
      'saved by file copy',
      `Resuming session ${conversation}`,
      'belongs to another workspace',
      'Killed 1 container(s)',
      '1',
    ],
  );
});

test('a script that drives an agent finds the streams, messages and statuses that it knows', {
  timeout,
}, async () => {
  const lines = await runBash(`
    coi shell work --background --limit-memory 512MiB 2>log
    name=$(coi list --json | tr -d ' ",' | sed -n 's/^name://p' | head -1)
    grep -q "Created background tmux session: coi-$name" log
    coi tmux list --json | grep -c "\\"session\\": \\"coi-$name\\""
    coi tmux send "$name" 'hello there' >/dev/null 2>&1
    until coi tmux capture "$name" | grep -q 'You said: hello there'; do :; done
    coi container exec "$name" --capture -- sh -c 'printf "a\\tb"; echo no >&2; exit 3' | tr -d '\\n'; echo
    coi container exec "$name" --capture --format raw -- printf 'x\\n\\n' | od -An -c | tr -d ' '
    coi container exec "$name" -- sh -c 'exit 3' 2>&1 || echo "status $?"
    coi container exec -t "$name" -- sh -c 'test -t 0 && echo a terminal' </dev/null | tr -d '\\r'
    head -c 3000000 /dev/urandom >'big file'
    coi file push 'big file' "$name:/tmp/big file" 2>&1 | sed "s/$name/NAME/"
    coi file pull "$name:/tmp/big file" back 2>/dev/null && cmp 'big file' back && echo same
    coi file push x "$name" 2>/dev/null || echo "status $?"
    coi snapshot create one -c work 2>&1 | sed "s/$name/NAME/"
    coi snapshot list -c work | sed -n 's/^Total: /snapshots: /p'
    coi attach nosuch 2>&1 | head -1 || true
    coi container running "$name" && echo running
    coi shutdown work --timeout 30 2>/dev/null | grep -v 'was persistent' | sed "s/$name/NAME/"
    coi container exists "$name" || echo gone
  `);
  assert.deepEqual(lines, [
    '1',
    '{  "stdout": "a\\tb",  "stderr": "no\\n",  "exit_code": 3}',
    'x\\n\\n',
    'Error: command failed: exit status 3',
    'status 1',
    'a terminal',
    'Pushed file big file -> NAME:/tmp/big file',
    'same',
    'status 2',
    "Created snapshot 'one' for container 'NAME'",
    'snapshots: 1 snapshot',
    'Error: container nosuch not found or not running',
    'running',
    'Shutting down container NAME (timeout: 30s)...',
    '✓ Shutdown NAME',
    '',
    'Shutdown 1 container(s)',
    'gone',
  ]);
});

// Incus assigns the CPUs shortly after a start, so the command waits for its share.
test("coi run passes on its command's input, output and status, with its messages on stderr", {
  timeout,
}, async () => {
  const lines = await runBash(`
    printf 'one two' | coi run -- sh -c 'tr a-z A-Z; echo; echo "$GREETING"; echo "$FROM_PROFILE"' 2>log
    grep -e '^Executing: sh' -e '^Command completed successfully' log | cut -c1-12
    coi run --profile kept --persistent=false --limit-cpu 1 -- sh -c 'echo "$FROM_PROFILE"; until [ "$(nproc)" -lt 2 ]; do :; done; nproc; exit 5' 2>log || echo "status $?"
    grep '^Command exited' log
  `);
  assert.deepEqual(lines, [
    'ONE TWO',
    'good day',
    '',
    'Executing: s',
    'Command comp',
    'yes',
    '1',
    'status 5',
    'Command exited with code 5',
  ]);
});

async function dropImages(name: string): Promise<void> {
  for (const { aliases, fingerprint } of await bed.incus.images())
    if (aliases.some((alias) => alias.name.startsWith(name)))
      await (await bed.incus.deleteImage(fingerprint)).wait();
}

test('JSON of running sessions has the documented shapes', { timeout }, async () => {
  const started = await bed.coi(['shell', '--background', '--persistent', '--json']);
  assert.equal(started.status, 0, started.stderr);
  const session = JSON.parse(started.stdout);
  assert.deepEqual(mismatches(session, jsonShapes['shell --background'] ?? {}), []);
  const name = String(session.container);
  // The container of an earlier `coi run` may still be stopping.
  assert.ok((await bed.instances()).includes(name), name);
  // Not `health --verbose`: it resolves a real name, and its guard check uses addresses outside the test's namespaces.
  const image = `${bed.prefix}published`;
  await using _ = { [Symbol.asyncDispose]: () => dropImages(image) };
  const plain = `${bed.prefix}plain`;
  await writeFile(join(bed.workspace.path, 'note'), 'x');
  for (const [shape, line] of [
    ['list', 'list --all'],
    ['info', 'info'],
    ['container list', 'container list'],
    ['container info', `container info ${name}`],
    ['image list', 'image list'],
    ['image info', `image info ${bed.image}`],
    ['snapshot list', 'snapshot list'],
    ['snapshot list --all', 'snapshot list --all'],
    ['tmux list', 'tmux list'],
    ['hosts list', 'hosts list'],
    ['network show', 'network show'],
    ['network log', 'network log'],
    ['network why', 'network why 192.0.2.1'],
    ['monitor', 'monitor'],
    ['top', 'top'],
    ['handoff', 'handoff'],
    ['config show', 'config show'],
    ['health', 'health'],
    ['daemon status', 'daemon status'],
    ['persist', 'persist'],
    ['unfreeze', 'unfreeze'],
    ['network allow', 'network allow 10.1.2.3:80 --for 1m'],
    ['hosts add', 'hosts add 192.0.2.1 db'],
    ['hosts remove', 'hosts remove db'],
    ['tmux send', `tmux send ${name} hello`],
    ['tmux capture', `tmux capture ${name}`],
    ['file push', `file push note ${name}:/tmp/note`],
    ['file pull', `file pull ${name}:/tmp/note pulled`],
    ['snapshot create', 'snapshot create one'],
    ['container stop', `container stop ${name} --force`],
    ['snapshot restore', 'snapshot restore one --force'],
    ['snapshot delete', 'snapshot delete one'],
    ['container start', `container start ${name}`],
    ['fork', 'fork --slot 17'],
    ['kill', `kill ${name}`],
    ['container launch', `container launch ${bed.image} ${plain}`],
    ['container mount', `container mount ${plain} notes . /mnt/notes --readonly`],
    ['image publish', `image publish ${plain} ${image} --compression none`],
    ['build custom', `build custom ${image} --script note --base ${bed.image}`],
    ['image cleanup', `image cleanup ${image}- --keep 1`],
    ['image delete', `image delete ${image}`],
    ['shutdown', 'shutdown --all --force --timeout 0'],
    ['clean', 'clean --dry-run'],
    ['clean', 'clean --sessions --force'],
    ['clean --ownership', 'clean --ownership'],
  ] as const) {
    const result = await bed.coi([...line.split(' '), '--json']);
    assert.notEqual(result.stdout, '', `${line}: ${result.stderr}`);
    assert.deepEqual(mismatches(JSON.parse(result.stdout), jsonShapes[shape] ?? {}), [], line);
  }
});
