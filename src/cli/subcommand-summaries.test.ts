import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { App } from './app.ts';
import { commandTree } from './command-tree.ts';

test('completion lists every subcommand with the summary that its help shows', async () => {
  for (const { name, subcommands, load } of commandTree) {
    const command = new Command(name);
    (await load()).register(command, {} as App, commandTree);
    const shown = command.commands.filter((one) => !isHidden(one));
    const texts = Object.fromEntries(shown.map((one) => [one.name(), one.description()]));
    assert.deepEqual({ ...subcommands }, texts, name);
  }
});

function isHidden(command: Command): boolean {
  return (command as Command & { readonly _hidden?: boolean })._hidden === true;
}
