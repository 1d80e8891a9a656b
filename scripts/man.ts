// coi(1) in the language of man pages.
import type { Command, Option } from 'commander';
import { argumentTerm, capitalize, flagTerm, flagText } from '../src/cli/help-text.ts';

/** All commands on one page: name, what it does, its arguments and flags; and the flags that all of them take. */
export function manPage(commands: readonly Command[], global: readonly Option[]): string {
  const lines = [
    '.\\" Written by scripts/reference.ts.',
    '.TH COI 1 "" "coi" "User Commands"',
    '.SH NAME',
    'coi \\- run every AI coding agent in its own Linux container',
    '.SH SYNOPSIS',
    '.B coi',
    '[\\fIcommand\\fR] [\\fIoptions\\fR]',
    '.SH DESCRIPTION',
    'Without a command it is \\fBcoi shell\\fR: an agent starts or resumes in the current directory.',
    '.SH OPTIONS',
    'Every command takes these, before or after its name.',
    ...global.flatMap((option) => part(flagTerm(option), flagText(option))),
    '.SH COMMANDS',
    ...commands.flatMap((command) => entry(command, 'coi')),
    '.SH EXIT STATUS',
    '0 if all went well, 1 for a failure, 2 for a command line that does not fit, 130, 143 or 129 after an interrupt. \\fBcoi run\\fR passes on the status of its command, and returns 125 for a failure of its own and 124 after \\fB\\-\\-timeout\\fR. \\fBcoi health\\fR returns 1 for warnings and 2 for failures, \\fBcoi handoff\\fR 1 if something could not be looked at, \\fBcoi migrate\\fR 1 if something is left to do by hand, \\fBcoi network why\\fR 1 if the host is refused.',
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
  const words = command.registeredArguments.map((argument) => ` ${argumentTerm(argument)}`);
  const aliases = command.aliases().map((alias) => `\\fB${escaped(alias)}\\fR`);
  return [
    '.SS',
    `\\fB${escaped(name)}\\fR${escaped(words.join(''))}`,
    `${escaped(capitalize(command.description()))}.${aliases.length > 0 ? ` Also: ${aliases.join(', ')}.` : ''}`,
    ...command.registeredArguments.flatMap((argument) =>
      argument.description ? part(argumentTerm(argument), argument.description) : [],
    ),
    ...options.flatMap((option) => part(flagTerm(option), flagText(option))),
    ...command.commands.flatMap((inner) => entry(inner, name)),
  ];
}

function part(term: string, text: string): string[] {
  return ['.TP', `\\fB${escaped(term)}\\fR`, escaped(capitalize(text))];
}

/** A line must not begin with a control character, and a dash is a minus. */
function escaped(text: string): string {
  const plain = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('\n', ' ');
  return /^[.']/.test(plain) ? `\\&${plain}` : plain;
}
