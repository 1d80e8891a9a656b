// Runs the examples of pages on real containers: every `sh test` block in a workspace of its page, as an ordinary user,
// and every line of the `text output` block after it has to be in what it printed. Every toml block is a configuration
// that coi takes.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type GuideBed, makeGuideBed, timeout } from './guide-bed.ts';
import { pages } from './pages.ts';

const killAll = ['kill', '--all', '--force'];

/** Makes the tests of every second page, for a file of its own: they take a minute, and two files run at a time. */
export function testExamples(half: 0 | 1): void {
  const wanted = pages().filter((_, index) => index % 2 === half);
  let guide: GuideBed;
  before(async () => {
    guide = await makeGuideBed();
  });
  after(() => guide?.[Symbol.asyncDispose]());

  for (const { name, blocks } of wanted) {
    const scripts = blocks.filter(({ kind }) => kind === 'sh test');
    if (scripts.length > 0)
      test(`${name}: its commands do what it says`, { timeout }, async () => {
        const cwd = await guide.workspaceOf(name);
        await using _ = { [Symbol.asyncDispose]: async () => void (await guide.bed.coi(killAll)) };
        for (const [index, { kind, text }] of blocks.entries()) {
          if (kind !== 'sh test') continue;
          const said = await guide.inShell(text, cwd);
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
        const file = join(await guide.workspaceOf(name), 'example.toml');
        for (const { text } of configurations) {
          await guide.write(file, text);
          const said = await guide.bed.coi(['validate', 'config', file]);
          assert.equal(said.status, 0, `${text}\n${said.stdout}${said.stderr}`);
        }
      });
  }
}
