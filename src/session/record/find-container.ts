// Finds the container for a user's argument: a name, an alias, or an alias with a slot. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { aliasOf, type Container } from './instance-record.ts';

/**
 * Finds a container in any state; undefined if there is none. A word that begins with the prefix is a name. An alias
 * selects the workspace's only container, or its only one that is not stopped; `alias-N` selects slot N. Throws
 * `alias-invalid` if the word is ambiguous, also between an alias and a slot of another alias.
 */
export function findContainer(
  { prefix }: { readonly prefix: string },
  containers: readonly Container[],
  word: string,
): Container | undefined {
  if (word.startsWith(prefix)) return containers.find(({ name }) => name === word);
  // A container without an owner can only be selected by name.
  const named = containers.filter(({ adopted }) => typeof adopted?.owner !== 'string');
  const aliased = named.filter((container) => aliasOf(container) === word);
  const [, alias, slot] = /^(.+)-(\d{1,2})$/.exec(word) ?? [];
  const slotted = named.filter(
    (container) =>
      alias !== undefined && aliasOf(container) === alias && slotOf(container) === Number(slot),
  );
  if (aliased.length > 0 && slotted.length > 0) throw ambiguousWord(word, aliased, slotted);
  return requireOne(aliased.length > 0 ? aliased : slotted, word);
}

/** A project may have chosen the alias, so it must not decide between the two. */
function ambiguousWord(
  word: string,
  aliased: readonly Container[],
  slotted: readonly Container[],
): CoiError {
  const whole = aliased.map((one) => `${one.name} (alias ${word}${where(one)})`);
  const inSlot = slotted.map(
    (one) => `${one.name} (alias ${aliasOf(one)}, slot ${slotOf(one)}${where(one)})`,
  );
  return new CoiError(
    'alias-invalid',
    `${quoted(word)} is both an alias and a slot of another alias: ${[...whole, ...inSlot].join(', ')}`,
    { hint: 'Use the name of the container.' },
  );
}

function where({ session }: Container): string {
  return session ? ` of ${session.workspace}` : '';
}

/** A workspace with two names can have two containers in a slot. */
function requireOne(matches: readonly Container[], word: string): Container | undefined {
  const live = matches.filter(({ status }) => status !== 'Stopped');
  const candidates = live.length > 0 ? live : matches;
  if (candidates.length < 2) return candidates[0];
  const choices = candidates.map((one) =>
    aliasOf(one) === word ? `${word}-${slotOf(one)} (${one.name})` : one.name,
  );
  throw new CoiError(
    'alias-invalid',
    `alias ${quoted(word)} matches ${candidates.length} containers`,
    { hint: `Use one of: ${choices.join(', ')}.` },
  );
}

function slotOf({ session, adopted }: Container): number | undefined {
  return session?.slot ?? adopted?.slot;
}
