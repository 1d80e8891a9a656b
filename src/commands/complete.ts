// coi __complete: what could stand in the place of the last word, one candidate a line. For the scripts of `coi completion`.
import { Command, type Option } from 'commander';
import type { App } from '../app.ts';
import { kindOfArgument, kindOfValue, safeCandidates } from '../ui/completion.ts';
import { candidatesOf } from './candidates.ts';
import type { Branch } from './command.ts';
import { addGlobalOptions, commandWord } from './global.ts';
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
async function candidates(app: App, words: readonly string[]): Promise<readonly string[]> {
  const before = words.slice(0, -1);
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const word = commandWord(before);
  const branch = tree.find(({ name, aliases }) => name === word || aliases?.includes(word ?? ''));
  const command = await commandOf(app, branch);
  const inner = subcommand(command, before);
  const options = [...(inner?.options ?? []), ...command.options];
  const valued = options.find((option) => takesValue(option) && names(option).includes(previous));
  if (valued) return candidatesOf(app, kindOfValue(valued.long ?? ''), before);
  if (current.startsWith('-')) return options.filter(({ hidden }) => !hidden).flatMap(names);
  if (word === undefined)
    return [...tree.filter(({ hidden }) => !hidden).map(({ name }) => name), 'help'];
  if (word === 'help') return tree.filter(({ hidden }) => !hidden).map(({ name }) => name);
  if (!branch) return [];
  if (!inner && command.commands.length > 0) return command.commands.map((one) => one.name());
  return candidatesOf(app, kindOfArgument(branch.name, inner?.name()), before);
}

/** The command as it is registered, or one with the global flags only. */
async function commandOf(app: App, branch: Branch | undefined): Promise<Command> {
  const command = new Command(branch?.name ?? 'coi');
  addGlobalOptions(command, branch === undefined || branch.starts);
  if (branch) (await branch.load()).register(command, app);
  return command;
}

function subcommand(command: Command, words: readonly string[]): Command | undefined {
  return command.commands.find((one) => words.includes(one.name()));
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function names({ long, short }: Option): string[] {
  return [long, short].filter((name) => name !== undefined && name !== null);
}
