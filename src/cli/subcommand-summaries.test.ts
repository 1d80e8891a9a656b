import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { App } from './app.ts';
import { tree } from './command-tree.ts';

test('completion describes each subcommand as its help does, and knows all of them', async () => {
  for (const { name, below, load } of tree) {
    const command = new Command(name);
    (await load()).register(command, {} as App, tree);
    const shown = command.commands.filter((one) => !isHidden(one));
    const texts = Object.fromEntries(shown.map((one) => [one.name(), one.description()]));
    assert.deepEqual({ ...below }, texts, name);
  }
});

function isHidden(command: Command): boolean {
  return (command as Command & { readonly _hidden?: boolean })._hidden === true;
}
