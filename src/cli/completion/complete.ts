// coi __complete: what could stand in the place of the last word. For the scripts of `coi completion`. It is asked at
// every Tab, so it loads no more than the answer needs.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { Branch } from '../command-module.ts';
import { argumentsIn, commandWord } from '../global-options.ts';
import {
  type Candidate,
  type Completion,
  describedLines,
  kindOfArgument,
  nothing,
  safeCandidates,
} from './kinds.ts';
import { candidatesOf } from './names.ts';

export function register(command: Command, app: App, tree: readonly Branch[]): void {
  command
    .option('--described', 'one candidate a line, with what it is after a tab')
    .argument('[words...]', 'the words after coi, the last one unfinished')
    .allowUnknownOption()
    .action(async (words: string[], { described }: { described?: boolean }) => {
      await printCompletion(app, tree, words, described === true);
    });
}

/** With descriptions as scripts of this version read it, else the names alone, as older scripts do. */
export async function printCompletion(
  app: App,
  tree: readonly Branch[],
  words: readonly string[],
  described: boolean,
): Promise<void> {
  const { candidates, files } = await completion(app, tree, words);
  const found = safeCandidates(candidates, words.at(-1) ?? '');
  const lines = described
    ? describedLines({ candidates: found, files })
    : found.map(({ word }) => word);
  if (lines.length > 0) app.io.print(lines.join('\n'));
}

/** Nothing where a question fails: a completion has nobody to tell. */
async function completion(
  app: App,
  tree: readonly Branch[],
  words: readonly string[],
): Promise<Completion> {
  const before = words.slice(0, -1);
  // What stands behind it is another program's.
  if (before.includes('--')) return { candidates: [], files: true };
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const word = commandWord(before);
  const branch = tree.find(({ name, aliases }) => name === word || aliases?.includes(word ?? ''));
  const inner = before.find((one) => Object.hasOwn(branch?.below ?? {}, one));
  if (current.startsWith('-') || previous.startsWith('-')) {
    const { flagCompletion } = await import('./flags.ts');
    // Bare `coi` is `coi shell`.
    const found = await flagCompletion(
      app,
      words,
      { branch: branch ?? tree.find(isShell), tree },
      inner,
    );
    if (found) return found;
  }
  if (word === undefined) return names([...commands(tree), { word: 'help', text: 'Show help' }]);
  if (word === 'help') return names(commands(tree));
  if (!branch) return nothing;
  if (inner === undefined && branch.below)
    return names(Object.entries(branch.below).map(([word, text]) => ({ word, text })));
  const number = argumentsIn(before) - (inner === undefined ? 1 : 2);
  return candidatesOf(app, kindOfArgument(branch.name, inner, number), before);
}

function commands(tree: readonly Branch[]): Candidate[] {
  return tree
    .filter(({ hidden }) => !hidden)
    .map(({ name, summary }) => ({ word: name, text: summary }));
}

function names(candidates: readonly Candidate[]): Completion {
  return { candidates, files: false };
}

function isShell({ name }: Branch): boolean {
  return name === 'shell';
}
