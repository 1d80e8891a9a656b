// `coi __complete`: candidates for the last word, for the scripts of `coi completion`. It runs at every Tab, so it loads
// as little as possible.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { CommandEntry } from '../command-module.ts';
import { commandName, countArguments } from '../global-options.ts';
import { findCandidates } from './candidates.ts';
import {
  type Candidate,
  type Completion,
  candidateLines,
  filterCandidates,
  kindOfArgument,
  noCompletion,
} from './kinds.ts';

export function register(command: Command, app: App, tree: readonly CommandEntry[]): void {
  command
    .option('--described', 'print one candidate per line, with its description after a tab')
    .argument('[words...]', 'words after coi, the last one unfinished')
    .allowUnknownOption()
    .action(async (words: string[], { described }: { described?: boolean }) => {
      await printCompletion(app, tree, words, described === true);
    });
}

/** Prints candidates with descriptions for scripts of this version, or names only for older scripts. */
export async function printCompletion(
  app: App,
  tree: readonly CommandEntry[],
  words: readonly string[],
  described: boolean,
): Promise<void> {
  const { candidates, files } = await complete(app, tree, words);
  const found = filterCandidates(candidates, words.at(-1) ?? '');
  const lines = described
    ? candidateLines({ candidates: found, files })
    : found.map(({ word }) => word);
  if (lines.length > 0) app.io.print(lines.join('\n'));
}

/** The candidates for the last word. */
async function complete(
  app: App,
  tree: readonly CommandEntry[],
  words: readonly string[],
): Promise<Completion> {
  const before = words.slice(0, -1);
  // Arguments after `--` belong to another program.
  if (before.includes('--')) return { candidates: [], files: true };
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const word = commandName(before);
  const entry = tree.find(({ name, aliases }) => name === word || aliases?.includes(word ?? ''));
  const inner = before.find((one) => Object.hasOwn(entry?.subcommands ?? {}, one));
  if (current.startsWith('-') || previous.startsWith('-')) {
    const { completeFlags } = await import('./flags.ts');
    // Bare `coi` is `coi shell`.
    const found = await completeFlags(
      app,
      words,
      { entry: entry ?? tree.find(isShell), tree },
      inner,
    );
    if (found) return found;
  }
  if (word === undefined) return names([...commands(tree), { word: 'help', text: 'Show help' }]);
  if (word === 'help') return names(commands(tree));
  if (!entry) return noCompletion;
  if (inner === undefined && entry.subcommands)
    return names(Object.entries(entry.subcommands).map(([word, text]) => ({ word, text })));
  const number = countArguments(before) - (inner === undefined ? 1 : 2);
  return findCandidates(app, kindOfArgument(entry.name, inner, number), before);
}

function commands(tree: readonly CommandEntry[]): Candidate[] {
  return tree
    .filter(({ hidden }) => !hidden)
    .map(({ name, summary }) => ({ word: name, text: summary }));
}

function names(candidates: readonly Candidate[]): Completion {
  return { candidates, files: false };
}

function isShell({ name }: CommandEntry): boolean {
  return name === 'shell';
}
