// ~/.coi/aliases.json: which workspace an alias means, from any directory.
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

/** `name` or `name-N`: with a slot if the text ends in one. A registered alias of the whole text wins. Throws `alias-invalid`. */
export function aliasAndSlot(
  text: string,
  registered: Aliases,
): { alias: Alias; slot: Slot | undefined } {
  const alias = parseAlias(text);
  const apart = Object.hasOwn(registered, text) ? undefined : slotApart(text);
  return apart ? { alias: parseAlias(apart.head), slot: apart.slot } : { alias, slot: undefined };
}

/** What `name-N` means where it is no alias itself. */
function slotApart(text: string): { readonly head: string; readonly slot: Slot } | undefined {
  const [, head, number] = /^(.+)-(\d{1,2})$/.exec(text) ?? [];
  const isSlot = number !== undefined && Number(number) >= 1 && Number(number) <= slotMax;
  return isSlot && head !== undefined
    ? { head, slot: parseSlot(String(Number(number))) }
    : undefined;
}

/** An alias for a workspace must not look like a container name, since such an argument always means the container. Throws `alias-invalid`. */
export function usableAlias(alias: Alias, prefix: string): void {
  if (!alias.startsWith(prefix)) return;
  throw new CoiError('alias-invalid', `alias ${quoted(alias)} looks like the name of a container`, {
    hint: `Choose one that does not begin with ${prefix}.`,
  });
}

/** Reads the registry; empty if there is none. Throws `alias-invalid`, naming the file, if it is damaged. */
export function readAliases(home: string, files: HostFiles): Aliases {
  return usable(files, () => {
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
    throw damaged(path, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(path);
  const entries = Object.entries(value).flatMap(([alias, entry]): [string, AliasEntry][] => {
    // Before version 0.8.1 the value was the path alone.
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
 * The registry with the alias in it, or undefined if it is there already. Throws `alias-invalid` if another workspace has
 * it, or one that the word could be taken for.
 */
export function withAlias(aliases: Aliases, alias: Alias, entry: AliasEntry): Aliases | undefined {
  const before = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
  if (before && before.workspace !== entry.workspace)
    throw taken(`alias '${alias}' belongs to ${before.workspace}`);
  // Those that were registered before there was this rule go on.
  if (before === undefined) refuseLookAlike(aliases, alias, entry.workspace);
  if (before?.profile === entry.profile && before !== undefined) return undefined;
  return { ...aliases, [alias]: entry };
}

/** `shop-2` is how slot 2 of `shop` is called: a project must not bring that under its own session. */
function refuseLookAlike(aliases: Aliases, alias: Alias, workspace: string): void {
  const isOthers = (name: string) =>
    Object.hasOwn(aliases, name) && aliases[name]?.workspace !== workspace;
  const apart = slotApart(alias);
  if (apart && isOthers(apart.head))
    throw taken(
      `alias '${alias}' already means slot ${apart.slot} of '${apart.head}', which belongs to ${aliases[apart.head]?.workspace}`,
    );
  const inner = Object.keys(aliases).find(
    (name) => slotApart(name)?.head === alias && isOthers(name),
  );
  if (inner !== undefined)
    throw taken(
      `alias '${alias}' cannot be taken: '${inner}' would mean its slot ${slotApart(inner)?.slot}, and belongs to ${aliases[inner]?.workspace}`,
    );
}

function taken(message: string): CoiError {
  return new CoiError('alias-invalid', message, {
    hint: 'Choose another [container] alias, or take that one out of ~/.coi/aliases.json.',
  });
}

/** Writes the registry atomically. Only with the lock of `aliasLock`, under which it was read. Throws `alias-invalid`. */
export function writeAliases(home: string, aliases: Aliases, owner: Owner, files: HostFiles): void {
  usable(files, () => {
    using directory = files.open(`${home}/.coi`);
    directory?.write(fileName, `${JSON.stringify(aliases, null, 2)}\n`, { owner });
  });
}

/** Path of the file that whoever changes the registry has locked; its directory is made. Throws `alias-invalid`. */
export function aliasLock(home: string, owner: Owner, files: HostFiles): string {
  return usable(files, () => {
    // The user may keep ~/.coi elsewhere, as a link.
    using existing = files.open(`${home}/.coi`);
    using user = existing ? undefined : files.open(home);
    using _made = user?.makeDirectory('.coi', { owner });
    return `${home}/.coi/${lockName}`;
  });
}

function usable<T>(files: HostFiles, effect: () => T): T {
  try {
    return effect();
  } catch (error) {
    throw registryFailure(error, files);
  }
}

/** What went wrong with a file of the registry, as `alias-invalid`; any other error itself. */
export function registryFailure(error: unknown, files: HostFiles): unknown {
  const problem = files.problem(error);
  if (!problem) return error;
  return new CoiError(
    'alias-invalid',
    `the registry of aliases cannot be used: ${problem.message}`,
    {
      hint: 'It is made by `coi shell` in a workspace with [container] alias.',
      cause: error,
    },
  );
}

function damaged(path: string, cause?: unknown): CoiError {
  return new CoiError(
    'alias-invalid',
    `${path} is damaged: it should be a JSON object of aliases`,
    {
      hint: 'Mend or remove it; it is written anew by `coi shell` in a workspace with [container] alias.',
      cause,
    },
  );
}
