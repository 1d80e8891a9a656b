// Checks a command line against the existing commands without running it.
import type { Command } from 'commander';

/** What is wrong with it, or undefined. `whole` also requires all arguments of the command. */
export function commandLineError(
  words: readonly string[],
  commands: readonly Command[],
  globals: Command,
  whole: boolean,
): string | undefined {
  let rest = words.slice(1);
  let found: Command | undefined;
  const operands: string[] = [];
  while (rest.length > 0) {
    const [word = '', ...after] = rest;
    rest = after;
    if (word === '--') {
      operands.push(...rest);
      break;
    }
    if (word.startsWith('-') && word !== '-') {
      const taken = flagIn(word, [found, found?.parent, globals]);
      if (taken === undefined) return `there is no flag ${word}`;
      rest = rest.slice(taken);
      continue;
    }
    const below = operands.length > 0 ? undefined : named(word, found ? found.commands : commands);
    if (below) {
      found = below;
      continue;
    }
    if (word === 'help' && !found) return undefined;
    if (!found && !/^[A-Z]+$/.test(word)) return `there is no command ${word}`;
    operands.push(word);
    // Everything from the first operand on belongs to the command that is run.
    if (found?.name() === 'run' || (found?.name() === 'exec' && operands.length === 2)) {
      operands.push(...rest);
      break;
    }
  }
  return found ? operandComplaint(found, operands, whole) : undefined;
}

function operandComplaint(
  command: Command,
  operands: readonly string[],
  whole: boolean,
): string | undefined {
  const { registeredArguments } = command;
  const least = registeredArguments.filter(({ required }) => required).length;
  const most = registeredArguments.some(({ variadic }) => variadic)
    ? Number.POSITIVE_INFINITY
    : registeredArguments.length;
  if (operands.length > most) return `${command.name()} takes no ${operands.at(-1)}`;
  if (whole && operands.length < least) return `${command.name()} needs more arguments`;
  return undefined;
}

/** How many arguments a flag takes; undefined for an unknown flag. */
function flagIn(word: string, places: readonly (Command | null | undefined)[]): number | undefined {
  const [name = '', value] = word.split(/=(.*)/s);
  if (['-h', '--help', '--version'].includes(name)) return 0;
  for (const slot of places) {
    const option = slot?.options.find(({ long, short }) => long === name || short === name);
    if (option) return option.required && value === undefined ? 1 : 0;
  }
  return undefined;
}

function named(word: string, commands: readonly Command[]): Command | undefined {
  return commands.find((command) => command.name() === word || command.aliases().includes(word));
}
