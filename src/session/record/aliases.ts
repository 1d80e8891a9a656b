// ~/.coi/aliases.json: the workspaces of aliases, for commands in any directory.
import { CoiError } from '../../errors.ts';
import type { HostFiles, Owner } from '../../host/fs/host-files.ts';
import { type Alias, parseAlias, parseSlot, quoted, type Slot, slotMax } from '../../names.ts';

const fileMaxBytes = 1024 * 1024;
const fileName = 'aliases.json';
const lockName = 'aliases.lock';

export interface AliasEntry {
  readonly workspace: string;
  readonly profile?: string | undefined;
}

export type Aliases = Readonly<Record<string, AliasEntry>>;

/** Parses `name` or `name-N`, where N is a slot. A registered alias that equals the whole text wins. Throws `alias-invalid`. */
export function parseAliasAndSlot(
  text: string,
  registered: Aliases,
): { alias: Alias; slot: Slot | undefined } {
  const alias = parseAlias(text);
  const apart = Object.hasOwn(registered, text) ? undefined : splitSlot(text);
  return apart ? { alias: parseAlias(apart.head), slot: apart.slot } : { alias, slot: undefined };
}

/** Splits `name-N`. */
function splitSlot(text: string): { readonly head: string; readonly slot: Slot } | undefined {
  const [, head, number] = /^(.+)-(\d{1,2})$/.exec(text) ?? [];
  const isSlot = number !== undefined && Number(number) >= 1 && Number(number) <= slotMax;
  return isSlot && head !== undefined
    ? { head, slot: parseSlot(String(Number(number))) }
    : undefined;
}

/** An alias must not look like a container name, because such an argument always means the container. Throws `alias-invalid`. */
export function assertUsableAlias(alias: Alias, prefix: string): void {
  if (!alias.startsWith(prefix)) return;
  throw new CoiError('alias-invalid', `alias ${quoted(alias)} looks like a container name`, {
    hint: `Choose one that does not begin with ${prefix}.`,
  });
}

/** Reads the registry; empty if there is none. Throws `alias-invalid`, naming the file, if it is damaged. */
export function readAliases(home: string, files: HostFiles): Aliases {
  return withRegistryErrors(files, () => {
    using directory = files.open(`${home}/.coi`);
    const text = directory?.read(fileName, { maxBytes: fileMaxBytes })?.text;
    if (text === undefined || text.trim() === '') return {};
    return parseAliases(text, `${home}/.coi/${fileName}`);
  });
}

export function parseAliases(text: string, path: string): Aliases {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw damagedFile(path, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damagedFile(path);
  const entries = Object.entries(value).flatMap(([alias, entry]): [string, AliasEntry][] => {
    // Before version 0.8.1 the value was just the path.
    if (typeof entry === 'string') return [[alias, { workspace: entry }]];
    const { workspace, profile } = (entry ?? {}) as Partial<AliasEntry>;
    if (typeof workspace !== 'string') return [];
    return [
      [alias, { workspace, ...(typeof profile === 'string' && profile !== '' ? { profile } : {}) }],
    ];
  });
  return Object.fromEntries(entries);
}

/**
 * Adds the alias to the registry; undefined if it is already there. Throws `alias-invalid` if another workspace has the
 * alias, or one that it could be mistaken for.
 */
export function withAlias(aliases: Aliases, alias: Alias, entry: AliasEntry): Aliases | undefined {
  const before = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
  if (before && before.workspace !== entry.workspace)
    throw aliasTaken(`alias '${alias}' belongs to ${before.workspace}`);
  // Aliases that were registered before this rule existed stay valid.
  if (before === undefined) refuseLookAlike(aliases, alias, entry.workspace);
  if (before?.profile === entry.profile && before !== undefined) return undefined;
  return { ...aliases, [alias]: entry };
}

/** Without the aliases of a workspace; undefined if it has none. */
export function withoutWorkspace(aliases: Aliases, workspace: string): Aliases | undefined {
  const kept = Object.entries(aliases).filter(([, entry]) => entry.workspace !== workspace);
  return kept.length === Object.keys(aliases).length ? undefined : Object.fromEntries(kept);
}

/** `shop-2` is slot 2 of `shop`: a project must not redirect that name to its own session. */
function refuseLookAlike(aliases: Aliases, alias: Alias, workspace: string): void {
  const isOthers = (name: string) =>
    Object.hasOwn(aliases, name) && aliases[name]?.workspace !== workspace;
  const apart = splitSlot(alias);
  if (apart && isOthers(apart.head))
    throw aliasTaken(
      `alias '${alias}' already means slot ${apart.slot} of '${apart.head}', which belongs to ${aliases[apart.head]?.workspace}`,
    );
  const inner = Object.keys(aliases).find(
    (name) => splitSlot(name)?.head === alias && isOthers(name),
  );
  if (inner !== undefined)
    throw aliasTaken(
      `alias '${alias}' conflicts with '${inner}', which would be its slot ${splitSlot(inner)?.slot} but belongs to ${aliases[inner]?.workspace}`,
    );
}

function aliasTaken(message: string): CoiError {
  return new CoiError('alias-invalid', message, {
    hint: 'Choose another [container] alias, or remove the other one from ~/.coi/aliases.json.',
  });
}

/** Writes the registry atomically. Hold the lock of `prepareAliasLock` since reading it. Throws `alias-invalid`. */
export function writeAliases(home: string, aliases: Aliases, owner: Owner, files: HostFiles): void {
  withRegistryErrors(files, () => {
    using directory = files.open(`${home}/.coi`);
    directory?.write(fileName, `${JSON.stringify(aliases, null, 2)}\n`, { owner });
  });
}

/** Path of the lock file for changes of the registry; creates its directory. Throws `alias-invalid`. */
export function prepareAliasLock(home: string, owner: Owner, files: HostFiles): string {
  return withRegistryErrors(files, () => {
    // ~/.coi may be a symlink.
    using existing = files.open(`${home}/.coi`);
    using user = existing ? undefined : files.open(home);
    using _made = user?.makeDirectory('.coi', { owner });
    return `${home}/.coi/${lockName}`;
  });
}

function withRegistryErrors<T>(files: HostFiles, effect: () => T): T {
  try {
    return effect();
  } catch (error) {
    throw registryFailure(error, files);
  }
}

/** Turns a file error of the registry into `alias-invalid`; returns other errors unchanged. */
export function registryFailure(error: unknown, files: HostFiles): unknown {
  const problem = files.asFileError(error);
  if (!problem) return error;
  return new CoiError('alias-invalid', `the alias registry cannot be used: ${problem.message}`, {
    hint: 'Run `coi shell` in a workspace with [container] alias to create it.',
    cause: error,
  });
}

function damagedFile(path: string, cause?: unknown): CoiError {
  return new CoiError(
    'alias-invalid',
    `${path} is damaged: it should be a JSON object of aliases`,
    {
      hint: 'Fix or remove it; `coi shell` in a workspace with [container] alias recreates it.',
      cause,
    },
  );
}
