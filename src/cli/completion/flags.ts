// The flags of a command, and what the value of one of them names: the only completion that needs the command itself.
import { Command, type Option } from 'commander';
import type { App } from '../app.ts';
import type { Branch } from '../command-module.ts';
import { addGlobalOptions } from '../global-options.ts';
import { shownFlags } from '../inherited-flags.ts';
import { type Completion, kindOfValue } from './kinds.ts';
import { candidatesOf } from './names.ts';

/** Undefined where neither a flag nor a flag's value stands in the place of the last word. */
export async function flagCompletion(
  app: App,
  words: readonly string[],
  { branch, tree }: { readonly branch: Branch | undefined; readonly tree: readonly Branch[] },
  inner: string | undefined,
): Promise<Completion | undefined> {
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const command = await commandOf(app, branch, tree);
  const below = command.commands.find((one) => one.name() === inner);
  const options = [...(below?.options ?? []), ...command.options];
  const before = words.slice(0, -1);
  const named = (name: string) => options.find((option) => namesOf(option).includes(name));
  const valued = named(previous);
  if (valued?.required) return valuesOf(app, valued, before);
  if (!current.startsWith('-')) return undefined;
  const [, flag = ''] = /^(--[a-z-]+)=/.exec(current) ?? [];
  const assigned = named(flag);
  if (assigned && takesValue(assigned)) {
    const { candidates, files } = await valuesOf(app, assigned, before);
    const whole = candidates.map(({ word, text }) => ({ word: `${flag}=${word}`, text }));
    return { candidates: whole, files };
  }
  const shown = options.filter(({ hidden }) => !hidden);
  const text = (option: Option) => option.description;
  return {
    candidates: shown.flatMap((option) =>
      namesOf(option).map((word) => ({ word, text: text(option) })),
    ),
    files: false,
  };
}

function valuesOf(
  app: App,
  option: Option,
  before: readonly string[],
): Promise<Completion> | Completion {
  if (option.argChoices)
    return { candidates: option.argChoices.map((word) => ({ word })), files: false };
  const [, placeholder = ''] = /[<[]=?([^>\]]*)[>\]]/.exec(option.flags) ?? [];
  return candidatesOf(app, kindOfValue(option.long ?? '', placeholder), before);
}

/** The command as it is registered, or one with the global flags only. */
async function commandOf(
  app: App,
  branch: Branch | undefined,
  tree: readonly Branch[],
): Promise<Command> {
  const command = new Command(branch?.name ?? 'coi');
  addGlobalOptions(command, shownFlags(branch));
  if (branch) (await branch.load()).register(command, app, tree);
  return command;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function namesOf({ long, short }: Option): string[] {
  return [long, short].filter((name) => name !== undefined && name !== null);
}
