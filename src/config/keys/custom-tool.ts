// [tools.NAME]: an agent of the user's own, as data.
import { list, named, optional, required, table, withDefault } from './compound.ts';
import { choice, filled, text, type ValueType } from './values.ts';

export interface CustomTool {
  readonly title: string | undefined;
  /** Program and arguments; `{session}` (id of the conversation), `{workspace}`, `{home}`, `{model}` are filled in. */
  readonly command: readonly string[];
  /** Added for a new session, and instead of it for a resumed one. */
  readonly new_args: readonly string[];
  readonly resume_args: readonly string[];
  /** Added where the agent need not ask, and where it must. */
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

/** A plain path below the home: no `..`, not absolute. */
const homePath = filled(
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
  environment: withDefault(named(text(), /^[A-Za-z_][A-Za-z0-9_]*$/, 'name for a variable'), {}),
  context_file: optional(homePath),
});
