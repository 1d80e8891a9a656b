// Like test/cli/script-output.test.ts for commands that need a container: messages, streams and statuses that scripts know.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;

interface Row {
  /** NAME is the session's container. */
  readonly line: string;
  readonly status?: number;
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
  readonly input?: string;
}

/** Run in this order on one session; a stream that is not listed stays empty. */
const table: readonly Row[] = [
  {
    line: 'list',
    stdout: /^Active Containers:\n-{18}\n {2}NAME \(ephemeral\)\n {4}Status: Running\n {4}IPv4: /,
  },
  { line: 'list --stopped', stdout: /^Stopped Containers:\n-{19}\n {2}\(none\)\n$/ },
  { line: 'images', stdout: /^Available Images:\n\nCOI Images:\n/ },
  { line: 'image list --all', stdout: /\nAll Local Images:\nALIAS +SIZE +UPLOAD DATE\n/ },
  { line: 'image list --prefix no-such-', stdout: "No images found with prefix 'no-such-'\n" },
  { line: 'image exists no-such', status: 1 },
  { line: 'image info no-such', status: 1, stderr: /^Error: image "no-such" not found/ },
  { line: 'image cleanup no-such- --keep 1', stdout: /^Deleted 0 .*\nKept 0 / },
  { line: 'tmux list', stdout: /^CONTAINER +TMUX SESSION\nNAME +coi-NAME\n$/ },
  { line: 'tmux send NAME hello', stdout: 'Sent command to session coi-NAME\n' },
  { line: 'tmux send NAME-x hello', status: 1, stderr: /^Error: container .* not found/ },
  { line: 'container exists NAME' },
  { line: 'container running NAME' },
  { line: 'container exists NAME-x', status: 1 },
  {
    line: 'container exec NAME -- sh -c true&&false',
    status: 1,
    stderr: /Error: command failed: exit status 1\n/,
  },
  { line: 'container exec NAME --capture --format raw -- printf x\\n', stdout: 'x\n' },
  {
    line: 'container exec NAME --capture -- false',
    stdout: '{\n  "stdout": "",\n  "stderr": "",\n  "exit_code": 1\n}\n',
  },
  { line: 'file push note NAME:/tmp/note', stderr: 'Pushed file note -> NAME:/tmp/note\n' },
  { line: 'file push tree NAME:/tmp/tree', status: 2, stderr: /^Error: .*directory\nHint: .*-r/ },
  { line: 'file push -r tree NAME:/tmp/tree', stderr: /^Pushed directory tree -> NAME:/ },
  { line: 'file pull NAME:/tmp/note back', stderr: 'Pulled file NAME:/tmp/note -> back\n' },
  { line: 'snapshot list', stdout: 'Snapshots for NAME:\n\n  (none)\n\nTotal: 0 snapshots\n' },
  { line: 'snapshot delete --all', stderr: /^No snapshots to delete/ },
  { line: 'snapshot create one', stderr: /(^|\n)Created snapshot 'one' for container 'NAME'\n$/ },
  { line: 'snapshot create one', status: 1, stderr: /^Error: snapshot 'one' already exists/ },
  {
    line: 'snapshot list',
    stdout:
      /^Snapshots for NAME:\n\nNAME +CREATED +STATEFUL\none +[\d-]+ [\d:]+ +no\n+Total: 1 snapshot\n$/,
  },
  { line: 'snapshot info one', stdout: /^Snapshot: +one\nContainer: +NAME\nCreated: / },
  {
    line: 'snapshot restore two',
    status: 1,
    stderr: /^Error: snapshot 'two' not found for container 'NAME'/,
  },
  { line: 'snapshot restore one', status: 1, stderr: /Hint: .*coi container stop NAME/ },
  {
    line: 'snapshot delete one',
    stderr: "Deleted snapshot 'one' from container 'NAME'\n",
  },
  { line: 'monitor', stdout: /PROCESSES/, stderr: 'Monitoring container: NAME\n' },
  { line: 'unfreeze', stderr: 'No frozen COI containers found\n' },
  { line: 'unfreeze NAME', status: 1, stderr: /^Error: container NAME is not frozen .*Running/ },
  { line: 'attach nosuch', status: 1, stderr: /^Error: container nosuch not found or not running/ },
  { line: 'attach --slot 9', status: 1, stderr: /^Error: container .*-9 not found or not running/ },
  { line: 'attach', status: 1, stdout: 'Attaching to NAME...\n', stderr: /terminal/ },
  {
    line: 'attach --slot 1',
    status: 1,
    stdout: 'Attaching to NAME (slot 1)...\n',
    stderr: /terminal/,
  },
  { line: 'persist', stdout: '✓ Persisted NAME\n\nPersisted 1 container(s)\n' },
  { line: 'clean', stdout: 'Nothing to clean.\n' },
  {
    line: 'kill --all',
    stdout: 'Found 1 container(s):\n  - NAME (persistent)\nCancelled.\n',
    stderr: 'Kill 1 container(s)? [y/N]: ',
  },
  { line: 'kill nosuch', status: 1, stderr: /^Error: container "nosuch" not found/ },
  { line: 'container stop NAME --force', stderr: 'Stopped container NAME\n' },
  { line: 'clean', stdout: 'Nothing to clean.\n' },
  {
    line: 'clean --all --dry-run',
    stdout:
      'Found 1 item(s):\n  - container NAME (persistent, stopped)\n[Dry run] No changes made.\n',
  },
  { line: 'tmux list', stdout: 'No active sessions\n' },
  { line: 'attach', stdout: 'No active sessions\n' },
  { line: 'list', stdout: /\n {2}NAME \(persistent\)\n {4}Status: Stopped\n {4}Created: / },
  { line: 'shutdown NAME', stdout: /^Shutting down container NAME \(timeout: 60s\)\.\.\.\n/ },
  { line: 'shutdown --all', stdout: 'No containers to Shutdown\n' },
  { line: 'kill --all', stdout: 'No containers to Kill\n' },
  {
    line: 'list --all',
    stdout: /^Active Containers:\n-+\n {2}\(none\)\n\nSaved Sessions:\n-{15}\n/,
  },
  {
    line: 'info',
    stdout: /^Session Information\n[\s\S]*Session Data: +✓ Present \(\.claude directory/,
  },
  {
    line: 'run --image IMAGE -- sh -c exit_3;exit',
    status: 127,
    stderr: /(?:^|\n)Executing: sh -c exit_3;exit\n[\s\S]*Command exited with code 127\n/,
  },
];

/** Differences from the row. */
async function differences(bed: Bed, name: string, row: Row): Promise<string[]> {
  const { line, status = 0, stdout = '', stderr = '', input = '' } = row;
  const args = line
    .split(' ')
    .map((word) => word.replace('NAME', name).replace('IMAGE', bed.image));
  const result = await bed.coi(args, { input });
  const fits = (text: string, wanted: string | RegExp) =>
    typeof wanted === 'string' ? text === wanted : wanted.test(text);
  const [out, err] = [result.stdout, result.stderr].map((text) => text.replaceAll(name, 'NAME'));
  const right = result.status === status && fits(out ?? '', stdout) && fits(err ?? '', stderr);
  return right ? [] : [`${line}: ${result.status}\n${out}\n${err}`];
}

test('messages, streams and exit statuses of sessions are those that scripts know', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await mkdir(join(bed.workspace.path, 'tree'));
  for (const path of ['note', 'tree/note']) await writeFile(join(bed.workspace.path, path), 'x');
  const started = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const [name = ''] = await bed.instances();
  assert.equal(started.stdout, '');
  for (const words of [
    'Auto-allocated slot 1\nSetting up session ',
    `[setup] Container name: ${name}\n`,
    '[setup] Container setup complete!\n\nStarting session...\nSession ID: ',
    `\nContainer: ${name}\nWorkspace: ${bed.workspace.path}\nMode: Background (tmux)\n`,
    `Created background tmux session: coi-${name}\n`,
  ])
    assert.ok(started.stderr.includes(words), `${words}\n${started.stderr}`);
  const wrong: string[] = [];
  for (const row of table) wrong.push(...(await differences(bed, name, row)));
  assert.deepEqual(wrong, []);
});
