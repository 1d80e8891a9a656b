// Contents of a project's files must not control the terminal in `coi trust` and similar commands.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

const drawn = 'x\nNot yet approved:\n  nothing of note\n\u001b[8m';
const inToml = JSON.stringify(drawn);
const commands = [
  ['trust'],
  ['profile', 'list'],
  ['validate'],
  ['migrate', '--dry-run'],
  ['config', 'show'],
  ['profile', 'info', 'p'],
];

/** Output of each command for a project with that profile and an unapproved setting. */
function commandOutputs(profile: string, text: string, config = ''): string[] {
  using fixture = new ConfigFixture();
  fixture.project(`[network]\nmode = "open"\n${config}`);
  fixture.write(join(fixture.workspace, '.coi/profiles', profile, 'config.toml'), text);
  const env = { PATH: process.env['PATH'] ?? '', HOME: fixture.home, PWD: fixture.workspace };
  return commands.map((args) => {
    const options = { cwd: fixture.workspace, env, encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync(coiPath(), args, options);
    assert.notEqual(status, null, args.join(' '));
    return `${args.join(' ')}\n${stdout}${stderr}`;
  });
}

function assertNothingDrawn(outputs: readonly string[]): void {
  for (const output of outputs) {
    assert.doesNotMatch(output, /^ *nothing of note/m);
    assert.doesNotMatch(output, /\u001b/);
  }
}

test('a profile name cannot control the terminal: a directory that is not a profile is not listed', () => {
  const outputs = commandOutputs(drawn, 'image = "a"\n');
  assertNothingDrawn(outputs);
  assert.doesNotMatch(outputs[0] ?? '', /skipped/);
  assert.match(outputs[0] ?? '', /^Not yet approved:\n {2}\S+:2: network\.mode = "open"$/m);
});

for (const [what, text] of [
  ['a key', `[container]\n${inToml} = 1\n`],
  ['a section', `[${inToml}]\na = 1\n`],
  ['a key that is near to another', `${JSON.stringify(`${drawn}.modle`)} = 1\n`],
  ['the name of a variable', `[environment]\n${inToml} = "a"\n`],
  ['a parent', `inherits = ${inToml}\n`],
  ['a choice', `[network]\nmode = ${inToml}\n`],
  ['a key that is there twice', `${inToml} = 1\n${inToml} = 1\n`],
  ['text that is no TOML', `a = ${drawn}`],
] as const)
  test(`${what} of a profile cannot control the terminal`, () => {
    const outputs = commandOutputs('p', text);
    assertNothingDrawn(outputs);
    assert.match(outputs[0] ?? '', /^Warning: profile 'p' skipped: .+$/m);
  });

test('a configuration key cannot control the terminal', () => {
  const outputs = commandOutputs('p', '', `[container]\n${inToml} = 1\n`);
  assertNothingDrawn(outputs);
  assert.match(
    outputs[0] ?? '',
    /^Error: \S+:4: "container\.x\\nNot yet approved:\\n.*\\u001b\[8m" is not a known key$/m,
  );
});
