// What a project's files hold must not draw what `coi trust` and its neighbours show.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

const drawn = 'x\nTo be approved:\n  nothing of note\n\u001b[8m';
const inToml = JSON.stringify(drawn);
const commands = [
  ['trust'],
  ['profile', 'list'],
  ['validate'],
  ['migrate', '--dry-run'],
  ['config', 'show'],
  ['profile', 'info', 'p'],
];

/** What each command says of a project with that profile, and with something that waits. */
function said(profile: string, text: string, config = ''): string[] {
  using place = new ConfigPlace();
  place.project(`[network]\nmode = "open"\n${config}`);
  place.write(join(place.workspace, '.coi/profiles', profile, 'config.toml'), text);
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home, PWD: place.workspace };
  return commands.map((args) => {
    const options = { cwd: place.workspace, env, encoding: 'utf8', timeout: 60_000 } as const;
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

test('the name of a profile draws nothing: a directory that is no profile is not told of', () => {
  const outputs = said(drawn, 'image = "a"\n');
  assertNothingDrawn(outputs);
  assert.doesNotMatch(outputs[0] ?? '', /left out/);
  assert.match(outputs[0] ?? '', /^To be approved:\n {2}\S+:2: network\.mode = "open"$/m);
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
  test(`${what} of a profile draws nothing`, () => {
    const outputs = said('p', text);
    assertNothingDrawn(outputs);
    assert.match(outputs[0] ?? '', /^Warning: profile 'p' is left out: .+$/m);
  });

test('a key of the configuration draws nothing', () => {
  const outputs = said('p', '', `[container]\n${inToml} = 1\n`);
  assertNothingDrawn(outputs);
  assert.match(
    outputs[0] ?? '',
    /^Error: \S+:4: "container\.x\\nTo be approved:\\n.*\\u001b\[8m" is no known key$/m,
  );
});
