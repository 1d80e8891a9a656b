// The agent's environment and its transfer: on the starter's stdin, never in argv or in Incus's records.
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { quoted } from '../../names.ts';
import { shellQuote } from '../../shell-quoting.ts';

/** Home of the agent's user in the container. */
export const guestHome = agentUser.home;

const endMark = '#coi-end';
/** Printed by start.sh when it is ready to receive the environment. */
export const readyMark = 'coi-ready';
/** Printed after the search for a required program: with `yes`, or with `no` if it is missing and nothing starts. */
export const foundMark = 'coi-found';

/** Input of a starter; if the program `needs` is missing, nothing is started. */
export type Handover = string | { readonly text: string; readonly needs: string };

const unusualTerminals = [
  /^$/,
  /^xterm-ghostty/,
  /^wezterm/,
  /^alacritty/,
  /^(xterm-)?kitty/,
  /^foot/,
  /^rio$/,
  /^contour/,
  /^st-/,
  /^tmux-256color$/,
  /^screen-256color$/,
];

/** A TERM that the guest's terminfo knows; unusual terminals are compatible enough with xterm-256color. */
export function guestTerm(term: string | undefined): string {
  const value = term ?? '';
  if (
    unusualTerminals.some((pattern) => pattern.test(value)) ||
    !/^[A-Za-z0-9+._-]{1,40}$/.test(value)
  )
    return 'xterm-256color';
  return value;
}

/** COLORTERM, which announces 24-bit color: tmux always supports it, otherwise the user's terminal decides. */
export function colorVariables(colorTerm: string | undefined): Record<string, string> {
  return colorTerm === 'truecolor' || colorTerm === '24bit' ? { COLORTERM: colorTerm } : {};
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A requested variable; without a value it is copied from coi's environment. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** Parses --env: `NAME=value`, or `NAME` for the value in coi's environment. Throws `usage`. */
export function parseVariable(text: string): Variable {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (!variableName.test(name)) {
    // The message contains only the name: the value may be a secret.
    throw new CoiError('usage', `invalid --env ${quoted(name)}: the format is NAME or NAME=value`, {
      hint: 'Use letters, digits and _ in NAME, for example --env DEBUG=1.',
    });
  }
  if (text.includes('\0'))
    throw new CoiError('usage', `the value of --env ${name} contains a NUL character`);
  return at < 0 ? { name } : { name, value: text.slice(at + 1) };
}

/**
 * Parses a file of `NAME=value` lines like docker's --env-file: the value is the rest of the line, including quotes; empty
 * lines and lines with # are ignored. A name alone is refused: the agent may have written the file to get any variable of
 * the host. Throws `usage`.
 */
export function parseEnvFile(path: string, text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [at, whole] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const line = whole.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined || !variableName.test(name))
      // The message does not contain the line: it may be the second line of a secret.
      throw new CoiError('usage', `${path}:${at + 1} is not in the format NAME=value`, {
        hint: 'Use letters, digits and _ in NAME.',
      });
    if (value.includes('\0'))
      throw new CoiError('usage', `${path}:${at + 1}: the value contains a NUL character`);
    values[name] = value;
  }
  return values;
}

/** Environment of the exec itself, which is public: no secrets. */
export function plainEnvironment(home: string, user: string, term: string): Record<string, string> {
  return {
    HOME: home,
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    PATH: `${home}/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    TERM: term,
    IS_SANDBOX: '1',
  };
}

/** Input for the starter's stdin: assignments, the command, the end mark. */
export function handoverText(
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}=${quoteWord(value)}`,
  );
  return `${[...lines, `set -- ${command.map(quoteWord).join(' ')}`, endMark].join('\n')}\n`;
}

/**
 * Like `handoverText`, but the command starts only if the program is found with the new environment. On a terminal the starter
 * then waits for a line that confirms the mark, because tmux discards unread output (TCOFLUSH).
 */
export function handoverTextIf(
  needs: string | undefined,
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): Handover {
  const text = handoverText(environment, command);
  if (needs === undefined) return text;
  const lookFor = `command -v ${quoteWord(needs)} >/dev/null 2>&1 || { echo ${foundMark} no; exit 127; }
echo ${foundMark} yes
[ ! -t 0 ] || IFS= read -r coi_heard || exit 125
unset coi_heard
`;
  return { text: text.replace(`${endMark}\n`, () => `${lookFor}${endMark}\n`), needs };
}

/** Quotes a word for a POSIX shell so that no line of it equals the end mark. */
function quoteWord(text: string): string {
  return text.split(endMark).map(shellQuote).join(`'#coi''-end'`);
}
