// [tools.NAME]: a user-defined agent, as data.
import { list, optional, required, table, tableOf, withDefault } from './compound.ts';
import { choice, nonEmpty, text, type ValueType } from './values.ts';

export interface CustomTool {
  readonly title: string | undefined;
  /** Program and arguments, with the placeholders `{session}` (conversation id), `{workspace}`, `{home}` and `{model}`. */
  readonly command: readonly string[];
  /** `new_args` are added for a new session, `resume_args` for a resumed one. */
  readonly new_args: readonly string[];
  readonly resume_args: readonly string[];
  /** `bypass_args` are added if the agent need not ask, `interactive_args` if it must. */
  readonly bypass_args: readonly string[];
  readonly interactive_args: readonly string[];
  readonly state_dirs: readonly string[];
  readonly seeds: readonly {
    readonly from: string;
    readonly to: string | undefined;
    readonly kind: 'credential' | 'settings' | 'context';
  }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly context_file: string | undefined;
}

/** A relative path below the home directory, without `..`. */
const homePath = nonEmpty(
  text(/^(?!\/)(?!.*(^|\/)\.{0,2}(\/|$))[^\0]{1,200}$/, 'a path below the home, without . and ..'),
);
const words = list(text(), 100);
const seed = table({
  from: required(homePath),
  to: optional(homePath),
  kind: withDefault(choice('credential', 'settings', 'context'), 'settings'),
});

export const customTool: ValueType<CustomTool> = table({
  title: optional(text()),
  command: required(words),
  new_args: withDefault(words, []),
  resume_args: withDefault(words, []),
  bypass_args: withDefault(words, []),
  interactive_args: withDefault(words, []),
  state_dirs: withDefault(list(homePath, 8), []),
  seeds: withDefault(list(seed, 50), []),
  environment: withDefault(tableOf(text(), /^[A-Za-z_][A-Za-z0-9_]*$/, 'variable name'), {}),
  context_file: optional(homePath),
});
