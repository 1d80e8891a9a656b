// Adapts Claude Code's settings.json to the container: paths of programs are mapped; missing programs are left out and
// reported. Pure.
import { type CommandFitResult, type ContainerFacts, fitCommand } from './shell-paths.ts';

type Json = Readonly<Record<string, unknown>>;

export interface FittedSettings {
  readonly settings: Json;
  /** Omitted entries, such as `PreToolUse hook (~/bin/check.sh)`. */
  readonly leftOut: readonly string[];
}

/** Keys whose value is a command. */
const helpers = [
  ...['apiKeyHelper', 'proxyAuthHelper', 'otelHeadersHelper'],
  ...['awsAuthRefresh', 'awsCredentialExport', 'gcpAuthRefresh'],
];
/** Keys whose value is `{ type = "command", command = … }`. */
const lines = ['statusLine', 'subagentStatusLine', 'fileSuggestion'];

export function fitSettings(settings: Json, facts: ContainerFacts): FittedSettings {
  const leftOut: string[] = [];
  const result: Record<string, unknown> = { ...settings };
  const leave = (what: string, path: string) => leftOut.push(`${what} (${path})`);
  for (const name of helpers) {
    const value = settings[name];
    if (typeof value !== 'string') continue;
    const found = fitCommand(value, facts);
    if (found.kind === 'fits') result[name] = found.text;
    else {
      delete result[name];
      leave(name, found.path);
    }
  }
  for (const name of lines) {
    const value = settings[name];
    if (!isObject(value)) continue;
    const found = fitCommandObject(value, facts);
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
              fitGroup(group, facts, (path) => leave(`${event} hook`, path)),
            )
          : groups,
      ]),
    );
  return { settings: result, leftOut };
}

/** Paths that the settings need below a directory of the home, relative to that directory. */
export function namedFiles(settings: Json, hostHome: string, directory: string): string[] {
  const named = new Set<string>();
  // Only records the paths that are looked up; the resulting settings are discarded.
  const has = (path: string) => {
    if (path.startsWith(`${directory}/`)) named.add(path.slice(directory.length + 1));
    return true;
  };
  const nowhere = { workspace: '\0', target: '\0', guestHome: '\0' };
  fitSettings(settings, { hostHome, has, ...nowhere });
  return [...named];
}

/** A group without the hooks that would fail; no group if none are left. */
function fitGroup(group: unknown, facts: ContainerFacts, leave: (path: string) => void): unknown[] {
  if (!isObject(group) || !Array.isArray(group['hooks'])) return [group];
  const hooks = group['hooks'].flatMap((hook: unknown) => {
    if (!isObject(hook)) return [hook];
    const found = fitCommandObject(hook, facts);
    if (found.kind === 'fits') return [found.value];
    leave(found.path);
    return [];
  });
  return hooks.length === 0 && group['hooks'].length > 0 ? [] : [{ ...group, hooks }];
}

type CommandFit =
  | { readonly kind: 'fits'; readonly value: Json }
  | Extract<CommandFitResult, { kind: 'missing' }>;

/** An object with `command`, and with `args` if `command` is not shell text. */
function fitCommandObject(value: Json, facts: ContainerFacts): CommandFit {
  const { command, args } = value;
  const fit = (text: unknown) => (typeof text === 'string' ? fitCommand(text, facts) : undefined);
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
