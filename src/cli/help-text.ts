// How flags, arguments and what they do are written in help, in the reference and in man. Pure.
import { type Argument, Help, type Option } from 'commander';

/** Behind the flags of a command that takes others from above. */
export const globalFlags = 'Global options:';
export const inherited = 'Inherited options:';

/** As on a command line: an optional value needs its `=`. */
export function flagTerm({ flags }: Pick<Option, 'flags'>): string {
  return flags.replace(/ \[=([^\]]*)\]$/, '[=<$1>]');
}

/** With its choices and its default, where that says something. */
export function flagText(option: Option): string {
  const text = new Help().optionDescription(option);
  return capital(text.replace(/ \((?:preset: "auto"|default: none)\)$/, ''));
}

export function argumentTerm(argument: Argument): string {
  const shown = argument.name() + (argument.variadic ? '...' : '');
  return argument.required ? `<${shown}>` : `[${shown}]`;
}

/** Descriptions are kept without it, since they also stand behind a colon. */
export function capital(text: string): string {
  return text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}
