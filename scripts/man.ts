// coi(1) in the language of man pages.
import type { Command } from 'commander';

/** All commands on one page: name, what it does, its flags. */
export function manPage(commands: readonly Command[]): string {
  const lines = [
    '.\\" Written by scripts/reference.ts.',
    '.TH COI 1 "" "coi" "User Commands"',
    '.SH NAME',
    'coi \\- every AI coding agent its own real Linux machine',
    '.SH SYNOPSIS',
    '.B coi',
    '[\\fIcommand\\fR] [\\fIoptions\\fR]',
    '.SH COMMANDS',
    ...commands.flatMap((command) => entry(command, 'coi')),
    '.SH EXIT STATUS',
    '0 if all went well, 1 for a failure, 2 for a command line that does not fit; \\fBcoi run\\fR passes on that of the command.',
    '.SH FILES',
    '.TP',
    '\\fI~/.coi/config.toml\\fR, \\fI.coi/config.toml\\fR',
    'Configuration of the user and of a project; see \\fBcoi config schema\\fR.',
    '.TP',
    '\\fI~/.coi/sessions-TOOL/\\fR',
    'What the agents remember.',
  ];
  return `${lines.join('\n')}\n`;
}

function entry(command: Command, above: string): string[] {
  const name = `${above} ${command.name()}`;
  const options = command.options.filter(({ hidden }) => !hidden);
  return [
    '.SS',
    `\\fB${escaped(name)}\\fR`,
    `${escaped(command.description())}.`,
    ...options.flatMap(({ flags, description }) => [
      '.TP',
      `\\fB${escaped(flags)}\\fR`,
      escaped(description),
    ]),
    ...command.commands.flatMap((inner) => entry(inner, name)),
  ];
}

/** A line must not begin with a control character, and a dash is a minus. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
