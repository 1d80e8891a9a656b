// coi __complete: what could stand in the place of the last word, one candidate a line. For the scripts of `coi completion`.
// It is asked at every Tab, so it loads no more than the answer needs.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { kindOfArgument, safeCandidates } from '../ui/completion.ts';
import { candidatesOf } from './candidates.ts';
import { commandWord } from './global.ts';
import { tree } from './tree.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[words...]', 'the words after coi, the last one unfinished')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const found = safeCandidates(await candidates(app, words), words.at(-1) ?? '');
      if (found.length > 0) app.io.print(found.join('\n'));
    });
}

/** Nothing where a question fails: a completion has nobody to tell. */
export async function candidates(app: App, words: readonly string[]): Promise<readonly string[]> {
  const before = words.slice(0, -1);
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const word = commandWord(before);
  const branch = tree.find(({ name, aliases }) => name === word || aliases?.includes(word ?? ''));
  const inner = branch?.below?.find((name) => before.includes(name));
  if (current.startsWith('-') || previous.startsWith('-')) {
    const { flagCandidates } = await import('./complete-flags.ts');
    const found = await flagCandidates(app, words, branch, inner);
    if (found) return found;
  }
  const shown = () => tree.filter(({ hidden }) => !hidden).map(({ name }) => name);
  if (word === undefined) return [...shown(), 'help'];
  if (word === 'help') return shown();
  if (!branch) return [];
  if (inner === undefined && branch.below) return branch.below;
  return candidatesOf(app, kindOfArgument(branch.name, inner), before);
}
