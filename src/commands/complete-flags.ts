// The flags of a command, and what the value of one of them names: the only completion that needs the command itself.
import { Command, type Option } from 'commander';
import type { App } from '../app.ts';
import { kindOfValue } from '../ui/completion.ts';
import { candidatesOf } from './candidates.ts';
import type { Branch } from './command.ts';
import { addGlobalOptions } from './global.ts';
import { shownFlags } from './inherited.ts';

/** Undefined where neither a flag nor a flag's value stands in the place of the last word. */
export async function flagCandidates(
  app: App,
  words: readonly string[],
  branch: Branch | undefined,
  inner: string | undefined,
): Promise<readonly string[] | undefined> {
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const command = await commandOf(app, branch);
  const below = command.commands.find((one) => one.name() === inner);
  const options = [...(below?.options ?? []), ...command.options];
  const valued = options.find((option) => takesValue(option) && names(option).includes(previous));
  if (valued) return candidatesOf(app, kindOfValue(valued.long ?? ''), words.slice(0, -1));
  if (!current.startsWith('-')) return undefined;
  return options.filter(({ hidden }) => !hidden).flatMap(names);
}

/** The command as it is registered, or one with the global flags only. */
async function commandOf(app: App, branch: Branch | undefined): Promise<Command> {
  const command = new Command(branch?.name ?? 'coi');
  addGlobalOptions(command, shownFlags(branch));
  if (branch) (await branch.load()).register(command, app);
  return command;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function names({ long, short }: Option): string[] {
  return [long, short].filter((name) => name !== undefined && name !== null);
}
