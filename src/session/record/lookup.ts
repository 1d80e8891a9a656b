// From what a user typed to the container that is meant: a name, an alias, or an alias with a slot. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { aliasOf, type Container } from './instance-record.ts';

/**
 * The container that a word means, in any state; undefined if none does. A word that begins with the prefix is a
 * name. An alias means the workspace's only container, or else its only one that is not stopped; `alias-N` the one
 * in slot N. Throws `alias-invalid` when a word means several: also an alias that ends like a slot of another one.
 */
export function findContainer(
  { prefix }: { readonly prefix: string },
  containers: readonly Container[],
  word: string,
): Container | undefined {
  if (word.startsWith(prefix)) return containers.find(({ name }) => name === word);
  // What is nobody's is meant by its name alone.
  const named = containers.filter(({ adopted }) => typeof adopted?.owner !== 'string');
  const aliased = named.filter((container) => aliasOf(container) === word);
  const [, alias, slot] = /^(.+)-(\d{1,2})$/.exec(word) ?? [];
  const slotted = named.filter(
    (container) =>
      alias !== undefined && aliasOf(container) === alias && slotOf(container) === Number(slot),
  );
  if (aliased.length > 0 && slotted.length > 0) throw twofold(word, aliased, slotted);
  return onlyOne(aliased.length > 0 ? aliased : slotted, word);
}

/** A project may have chosen the alias: which of the two is meant is not for it to say. */
function twofold(
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
    `${quoted(word)} is an alias, and a slot of another alias: ${[...whole, ...inSlot].join(', ')}`,
    { hint: 'Say which by the name of the container.' },
  );
}

function where({ session }: Container): string {
  return session ? ` of ${session.workspace}` : '';
}

/** A workspace that has two names has two containers in a slot. */
function onlyOne(meant: readonly Container[], word: string): Container | undefined {
  const live = meant.filter(({ status }) => status !== 'Stopped');
  const candidates = live.length > 0 ? live : meant;
  if (candidates.length < 2) return candidates[0];
  const choices = candidates.map((one) =>
    aliasOf(one) === word ? `${word}-${slotOf(one)} (${one.name})` : one.name,
  );
  throw new CoiError(
    'alias-invalid',
    `alias ${quoted(word)} means ${candidates.length} containers`,
    { hint: `Say which: ${choices.join(', ')}.` },
  );
}

function slotOf({ session, adopted }: Container): number | undefined {
  return session?.slot ?? adopted?.slot;
}
