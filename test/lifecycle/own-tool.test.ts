// An agent of the user's own, as a table of the configuration: what it is started with, and what it finds again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { onlyInstance } from '../terminal/session.ts';
import { homeFile, inside, metadataOf, stopFromOutside } from './talk.ts';

test('a tool of the user’s own goes on with the conversation that it began last, by the id that it was given', {
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
    inside(bed, name, 'sh', '-c', `until grep -x "${line}" ~code/.mine/log; do sleep 0.1; done`);
  const { name, id } = await started('--persistent');
  await says(name, `new ${id}`);
  assert.equal(await inside(bed, name, 'cat', '/home/code/.mine/rc'), 'mine\n');
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
