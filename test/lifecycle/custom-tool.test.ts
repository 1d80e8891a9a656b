// A custom tool, defined by a table of the configuration: its command line and its resume.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { onlyInstance } from '../terminal/session.ts';
import { homeFile, metadataOf, runInside, stopFromOutside } from './conversation.ts';

test('a custom tool resumes its last conversation by the id that it got', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed({ env: { COI_USE_DUMMY: '' } });
  homeFile(bed, '.minerc', 'mine\n');
  homeFile(
    bed,
    '.coi/config.toml',
    `[container]
image = "${bed.image}"
[tool]
name = "mine"
[tools.mine]
command = ["sh", "-c", 'echo "$0 $1" >>~/.mine/log; exec sleep 1000']
new_args = ["new", "{session}"]
resume_args = ["again", "{session}"]
state_dirs = [".mine"]
seeds = [{ from = ".minerc", to = ".mine/rc", kind = "settings" }]
`,
  );
  const started = async (...args: string[]) => {
    const { status, stderr } = await bed.coi(['shell', '--background', ...args]);
    assert.equal(status, 0, stderr);
    const { name, config } = await onlyInstance(bed);
    return { name, id: config['user.coi.session'] ?? '' };
  };
  const says = (name: string, line: string) =>
    runInside(bed, name, 'sh', '-c', `until grep -x "${line}" ~code/.mine/log; do sleep 0.1; done`);
  const { name, id } = await started('--persistent');
  await says(name, `new ${id}`);
  assert.equal(await runInside(bed, name, 'cat', '/home/code/.mine/rc'), 'mine\n');
  await stopFromOutside(bed, name);
  // Another conversation in the same session.
  await started('--persistent');
  const { conversation_id: last } = metadataOf(bed, id, 'mine');
  assert.notEqual(last ?? id, id);
  await says(name, `new ${last}`);
  for (const how of ['kept', 'fresh']) {
    await stopFromOutside(bed, name);
    if (how === 'fresh') assert.equal((await bed.coi(['kill', name])).status, 0);
    assert.deepEqual(await started('--resume'), { name, id }, how);
    await says(name, `again ${last}`);
  }
});
