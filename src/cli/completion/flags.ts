// Completion of flags and their values, the only one that needs to load the command.
import { Command, type Option } from 'commander';
import type { App } from '../app.ts';
import type { CommandEntry } from '../command-module.ts';
import { addGlobalOptions } from '../global-options.ts';
import { visibleFlags } from '../inherited-flags.ts';
import { findCandidates } from './candidates.ts';
import { type Completion, kindOfValue } from './kinds.ts';

/** Undefined if the last word is neither a flag nor the value of one. */
export async function completeFlags(
  app: App,
  words: readonly string[],
  {
    entry,
    tree,
  }: { readonly entry: CommandEntry | undefined; readonly tree: readonly CommandEntry[] },
  inner: string | undefined,
): Promise<Completion | undefined> {
  const [current = '', previous = ''] = [words.at(-1), words.at(-2)];
  const command = await loadCommand(app, entry, tree);
  const below = command.commands.find((one) => one.name() === inner);
  const options = [...(below?.options ?? []), ...command.options];
  const before = words.slice(0, -1);
  const named = (name: string) => options.find((option) => namesOf(option).includes(name));
  const valued = named(previous);
  if (valued?.required) return completeValue(app, valued, before);
  if (!current.startsWith('-')) return undefined;
  const [, flag = ''] = /^(--[a-z-]+)=/.exec(current) ?? [];
  const assigned = named(flag);
  if (assigned && takesValue(assigned)) {
    const { candidates, files } = await completeValue(app, assigned, before);
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

function completeValue(
  app: App,
  option: Option,
  before: readonly string[],
): Promise<Completion> | Completion {
  if (option.argChoices)
    return { candidates: option.argChoices.map((word) => ({ word })), files: false };
  const [, placeholder = ''] = /[<[]=?([^>\]]*)[>\]]/.exec(option.flags) ?? [];
  return findCandidates(app, kindOfValue(option.long ?? '', placeholder), before);
}

/** The registered command, or one with the global flags only. */
async function loadCommand(
  app: App,
  entry: CommandEntry | undefined,
  tree: readonly CommandEntry[],
): Promise<Command> {
  const command = new Command(entry?.name ?? 'coi');
  addGlobalOptions(command, visibleFlags(entry));
  if (entry) (await entry.load()).register(command, app, tree);
  return command;
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function namesOf({ long, short }: Option): string[] {
  return [long, short].filter((name) => name !== undefined && name !== null);
}
