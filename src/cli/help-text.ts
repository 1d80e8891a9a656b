// Formatting of flags and arguments in help, in the reference and in the man page. Pure.
import { type Argument, Help, type Option } from 'commander';

/** Headings of the global flags in the help of a command. */
export const globalHeading = 'Global options:';
export const inheritedHeading = 'Inherited options:';

/** As typed on a command line: an optional value needs its `=`. */
export function flagTerm({ flags }: Pick<Option, 'flags'>): string {
  return flags.replace(/ \[=([^\]]*)\]$/, '[=<$1>]');
}

/** The description with choices and default, unless the default says nothing. */
export function flagText(option: Option): string {
  const text = new Help().optionDescription(option);
  return capitalize(text.replace(/ \((?:preset: "auto"|default: none)\)$/, ''));
}

export function argumentTerm(argument: Argument): string {
  const shown = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

/** Descriptions start in lower case, since they also follow a colon. */
export function capitalize(text: string): string {
  return text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
