// Generates the man page coi(1).
import type { Command, Option } from 'commander';
import { argumentTerm, capitalize, flagTerm, flagText } from '../src/cli/help-text.ts';

/** All commands with their arguments and flags, and the global flags, on one page. */
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
    'Without a command, \\fBcoi shell\\fR starts or resumes an agent in the current directory.',
    '.SH OPTIONS',
    'Every command accepts these, before or after its name.',
    ...global.flatMap((option) => part(flagTerm(option), flagText(option))),
    '.SH COMMANDS',
    ...commands.flatMap((command) => entry(command, 'coi')),
    '.SH EXIT STATUS',
    '0 on success, 1 on failure, 2 for an invalid command line, 130, 143 or 129 after an interrupt. \\fBcoi run\\fR returns the status of its command, 125 for a failure of coi and 124 after \\fB\\-\\-timeout\\fR. \\fBcoi health\\fR returns 1 for warnings and 2 for failures, \\fBcoi handoff\\fR 1 if something could not be checked, \\fBcoi migrate\\fR 1 if manual steps remain, \\fBcoi network why\\fR 1 if the host is refused.',
    '.SH FILES',
    '.TP',
    '\\fI~/.coi/config.toml\\fR, \\fI.coi/config.toml\\fR',
    'Configuration of the user and of a project; see \\fBcoi config schema\\fR.',
    '.TP',
    '\\fI~/.coi/sessions-TOOL/\\fR',
    'Saved sessions, with the conversations of the agents.',
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
