// No page names a command, a flag or a place that does not exist. What can be run of them is run by examples.ts.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { allCommands } from '../../scripts/reference.ts';
import { addGlobalOptions } from '../../src/cli/global-options.ts';
import { portVariables } from '../../src/session/plan/ports.ts';
import { complaintAbout } from './command-line.ts';
import { commandLines, pages, root, words } from './pages.ts';

const commands = await allCommands();
const globals = new Command('coi');
addGlobalOptions(globals);
const complaint = (line: string, whole = true) =>
  complaintAbout(words(line), commands, globals, whole);

for (const page of pages()) {
  test(`${page.name}: every command line fits a command of coi`, () => {
    const wrong = commandLines(page).flatMap(({ line, whole }) => {
      const why = complaint(line, whole);
      return why === undefined ? [] : [`${line}: ${why}`];
    });
    assert.deepEqual(wrong, []);
  });

  test(`${page.name}: every file that it links to is there`, () => {
    const at = join(root, page.name === 'README' ? '.' : 'docs', dirname(page.name));
    const links = [...page.text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const dead = links.filter(
      (target) => !/^https?:/.test(target) && !existsSync(join(at, target)),
    );
    assert.deepEqual(dead, []);
  });
}

test('the variables of ports that the guide names are those that a session gets', () => {
  const named = pages().flatMap(({ text }) => text.match(/COI_PORT[A-Z0-9_]*[A-Z0-9]\b/g) ?? []);
  const port = { listen: '127.0.0.1', host: 20_000, container: 3000 };
  const given = portVariables([
    { ...port, name: undefined },
    { ...port, name: 'web' },
  ]);
  assert.deepEqual([...new Set(named)].toSorted(), Object.keys(given).toSorted());
});

test('a page that named what does not exist would be found', () => {
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
