// Every command, flag and path in the pages exists. examples.ts runs the runnable parts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { allCommands } from '../../scripts/reference.ts';
import { addGlobalOptions } from '../../src/cli/global-options.ts';
import { portVariables } from '../../src/session/plan/ports.ts';
import { commandLineError } from './command-line.ts';
import { commandLines, pages, root, words } from './pages.ts';

const commands = await allCommands();
const globals = new Command('coi');
addGlobalOptions(globals);
const complaint = (line: string, whole = true) =>
  commandLineError(words(line), commands, globals, whole);

for (const page of pages()) {
  test(`${page.name}: every command line is valid`, () => {
    const wrong = commandLines(page).flatMap(({ line, whole }) => {
      const why = complaint(line, whole);
      return why === undefined ? [] : [`${line}: ${why}`];
    });
    assert.deepEqual(wrong, []);
  });

  test(`${page.name}: every linked file exists`, () => {
    const at = join(root, page.name === 'README' ? '.' : 'docs', dirname(page.name));
    const links = [...page.text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const dead = links.filter(
      (target) => !/^https?:/.test(target) && !existsSync(join(at, target)),
    );
    assert.deepEqual(dead, []);
  });
}

test('the port variables that the guide names are those of a session', () => {
  const named = pages().flatMap(({ text }) => text.match(/COI_PORT[A-Z0-9_]*[A-Z0-9]\b/g) ?? []);
  const port = { listen: '127.0.0.1', host: 20_000, container: 3000 };
  const variables = portVariables([
    { ...port, name: undefined },
    { ...port, name: 'web' },
  ]);
  assert.deepEqual([...new Set(named)].toSorted(), Object.keys(variables).toSorted());
});

test('the doc check rejects unknown commands and flags', () => {
  for (const line of [
    'coi shel --background',
    'coi shell --bakground',
    'coi network allow',
    'coi persist --all --for 3',
    'coi image delete one two',
  ])
    assert.notEqual(complaint(line), undefined, line);
  for (const line of ['coi', 'coi run -- make --jobs 2', 'coi --slot 2 shell --resume=x'])
    assert.equal(complaint(line), undefined, line);
  const text =
    'a `coi list` b\n```sh\nsudo coi setup # x\necho y | coi run -- cat && coi kill z\n```\n';
  const found = commandLines({
    name: 'x',
    text,
    blocks: [{ kind: 'sh', text: text.split('\n').slice(2, 4).join('\n') }],
  });
  assert.deepEqual(
    found.map(({ line }) => line),
    ['coi setup', 'coi run -- cat', 'coi kill z', 'coi list'],
  );
});
