// Claude Code's settings.json for inside: programs that it names are found there, or are left out and named. Pure.
import { type Fitted, fitted, type InsideFacts } from './shell-paths.ts';

type Json = Readonly<Record<string, unknown>>;

export interface FittedSettings {
  readonly settings: Json;
  /** What was left out, such as `PreToolUse hook (~/bin/check.sh)`. */
  readonly leftOut: readonly string[];
}

/** Keys whose value is a command. */
const helpers = [
  ...['apiKeyHelper', 'proxyAuthHelper', 'otelHeadersHelper'],
  ...['awsAuthRefresh', 'awsCredentialExport', 'gcpAuthRefresh'],
];
/** Keys whose value is `{ type = "command", command = … }`. */
const lines = ['statusLine', 'subagentStatusLine', 'fileSuggestion'];

export function fittedSettings(settings: Json, facts: InsideFacts): FittedSettings {
  const leftOut: string[] = [];
  const result: Record<string, unknown> = { ...settings };
  const leave = (what: string, path: string) => leftOut.push(`${what} (${path})`);
  for (const name of helpers) {
    const value = settings[name];
    if (typeof value !== 'string') continue;
    const found = fitted(value, facts);
    if (found.kind === 'fits') result[name] = found.text;
    else {
      delete result[name];
      leave(name, found.path);
    }
  }
  for (const name of lines) {
    const value = settings[name];
    if (!isObject(value)) continue;
    const found = fittedCommand(value, facts);
    if (found.kind === 'fits') result[name] = found.value;
    else {
      delete result[name];
      leave(name, found.path);
    }
  }
  if (isObject(settings['hooks']))
    result['hooks'] = Object.fromEntries(
      Object.entries(settings['hooks']).map(([event, groups]) => [
        event,
        Array.isArray(groups)
          ? groups.flatMap((group) =>
              fittedGroup(group, facts, (path) => leave(`${event} hook`, path)),
            )
          : groups,
      ]),
    );
  return { settings: result, leftOut };
}

/** Paths below a directory of the home that the settings name, relative to it: what they need to work. */
export function namedFiles(settings: Json, hostHome: string, directory: string): string[] {
  const named = new Set<string>();
  // Whoever is asked for a path has been named; what the answer makes of the settings is of no interest.
  const has = (path: string) => {
    if (path.startsWith(`${directory}/`)) named.add(path.slice(directory.length + 1));
    return true;
  };
  const nowhere = { workspace: '\0', target: '\0', guestHome: '\0' };
  fittedSettings(settings, { hostHome, has, ...nowhere });
  return [...named];
}

/** A group without the hooks that would fail; none where nothing is left of it. */
function fittedGroup(group: unknown, facts: InsideFacts, leave: (path: string) => void): unknown[] {
  if (!isObject(group) || !Array.isArray(group['hooks'])) return [group];
  const hooks = group['hooks'].flatMap((hook: unknown) => {
    if (!isObject(hook)) return [hook];
    const found = fittedCommand(hook, facts);
    if (found.kind === 'fits') return [found.value];
    leave(found.path);
    return [];
  });
  return hooks.length === 0 && group['hooks'].length > 0 ? [] : [{ ...group, hooks }];
}

type FittedCommand =
  | { readonly kind: 'fits'; readonly value: Json }
  | Extract<Fitted, { kind: 'missing' }>;

/** An object with `command`, and `args` where it is no shell text. */
function fittedCommand(value: Json, facts: InsideFacts): FittedCommand {
  const { command, args } = value;
  const fit = (text: unknown) => (typeof text === 'string' ? fitted(text, facts) : undefined);
  const words = Array.isArray(args) ? args : undefined;
  const found = [command, ...(words ?? [])].map(fit);
  const missing = found.find((one) => one?.kind === 'missing');
  if (missing?.kind === 'missing') return missing;
  const [first, ...others] = found;
  return {
    kind: 'fits',
    value: {
      ...value,
      ...(first?.kind === 'fits' && { command: first.text }),
      ...(words && {
        args: words.map((word: unknown, at) => {
          const one = others[at];
          return one?.kind === 'fits' ? one.text : word;
        }),
      }),
    },
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
