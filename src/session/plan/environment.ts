// The environment of the agent, and how it travels: on the starter's stdin, never in argv or in Incus's record.
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { quoted } from '../../names.ts';
import { shellQuoted } from '../../shell-quoting.ts';

/** Home of the agent's user in the container. */
export const guestHome = agentUser.home;

const handOverEnd = '#coi-end';
/** What start.sh prints when it is ready to be handed the environment. */
export const readyMark = 'coi-ready';
/** Printed before a command whose program was looked for, with `yes`, or with `no` and then nothing is started. */
export const foundMark = 'coi-found';

/** What a starter is handed; `needs` is a program that has to be there, or nothing is started. */
export type Handed = string | { readonly text: string; readonly needs: string };

const exotic = [
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

/** A TERM that the guest's terminfo knows: exotic terminals speak xterm-256color well enough. */
export function guestTerm(term: string | undefined): string {
  const value = term ?? '';
  if (exotic.some((pattern) => pattern.test(value)) || !/^[A-Za-z0-9+._-]{1,40}$/.test(value))
    return 'xterm-256color';
  return value;
}

/** COLORTERM, by which programs know 24-bit colour: tmux shows it everywhere, without it the user's terminal decides. */
export function colours(colorTerm: string | undefined): Record<string, string> {
  return colorTerm === 'truecolor' || colorTerm === '24bit' ? { COLORTERM: colorTerm } : {};
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A variable of a request; without a value it is coi's own. */
export interface Variable {
  readonly name: string;
  readonly value?: string;
}

/** Parses `NAME=value` of --env, or `NAME`, whose value coi's own environment has. Throws `usage`. */
export function parseVariable(text: string): Variable {
  const at = text.indexOf('=');
  const name = at < 0 ? text : text.slice(0, at);
  if (!variableName.test(name)) {
    // Only the name is repeated: the rest may be a secret.
    throw new CoiError(
      'usage',
      `invalid --env ${quoted(name)}: it has the form NAME or NAME=value`,
      { hint: 'NAME is made of letters, digits and _; for example --env DEBUG=1.' },
    );
  }
  if (text.includes('\0'))
    throw new CoiError('usage', `the value of --env ${name} holds a NUL character`);
  return at < 0 ? { name } : { name, value: text.slice(at + 1) };
}

/**
 * Parses a file of `NAME=value` lines as docker's --env-file: a value is all that follows, quotes too; empty lines and
 * those with # say nothing. A name alone is refused: the file may be the agent's, and would ask for any value of the
 * host. Throws `usage`.
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
      // Nothing of the line is repeated: it may be the second line of a secret.
      throw new CoiError('usage', `${path}:${at + 1} has not the form NAME=value`, {
        hint: 'NAME is made of letters, digits and _.',
      });
    if (value.includes('\0'))
      throw new CoiError('usage', `${path}:${at + 1}: the value holds a NUL character`);
    values[name] = value;
  }
  return values;
}

/** Environment of the exec itself: nothing but what anybody may see. */
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

/** The text for the starter's stdin: assignments, the command, the end mark. */
export function handOver(
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): string {
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}=${handedWord(value)}`,
  );
  return `${[...lines, `set -- ${command.map(handedWord).join(' ')}`, handOverEnd].join('\n')}\n`;
}

/**
 * The same for a command that is only started if that program is found, by the environment that it gets. On a terminal
 * the starter waits for a line from whoever has heard that: tmux throws away what was not read yet (TCOFLUSH).
 */
export function handOverIf(
  needs: string | undefined,
  environment: Readonly<Record<string, string>>,
  command: readonly string[],
): Handed {
  const text = handOver(environment, command);
  if (needs === undefined) return text;
  const lookFor = `command -v ${handedWord(needs)} >/dev/null 2>&1 || { echo ${foundMark} no; exit 127; }
echo ${foundMark} yes
[ ! -t 0 ] || IFS= read -r coi_heard || exit 125
unset coi_heard
`;
  return { text: text.replace(`${handOverEnd}\n`, () => `${lookFor}${handOverEnd}\n`), needs };
}

/** One word for a POSIX shell, whatever is in it; written so that no line of it is the end mark. */
function handedWord(text: string): string {
  return text.split(handOverEnd).map(shellQuoted).join(`'#coi''-end'`);
}
