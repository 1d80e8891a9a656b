// From what a user typed to the container that is meant: a name, an alias, or an alias with a slot. Pure.
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { aliasOf, type Container } from './record.ts';

/**
 * The container that a word means, in any state; undefined if none does. A word that begins with the prefix is a
 * name. An alias means the workspace's only container, or else its only one that is not stopped; `alias-N` the one
 * in slot N. Throws `alias-invalid` when an alias means several.
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
  if (aliased.length > 0) return onlyOne(aliased, word);
  const [, alias, slot] = /^(.+)-(\d{1,2})$/.exec(word) ?? [];
  return named.find(
    (container) =>
      alias !== undefined && aliasOf(container) === alias && slotOf(container) === Number(slot),
  );
}

function onlyOne(aliased: readonly Container[], alias: string): Container | undefined {
  const live = aliased.filter(({ status }) => status !== 'Stopped');
  const candidates = live.length > 0 ? live : aliased;
  if (candidates.length === 1) return candidates[0];
  const choices = candidates.map((one) => `${alias}-${slotOf(one)} (${one.name})`);
  throw new CoiError(
    'alias-invalid',
    `alias ${quoted(alias)} means ${candidates.length} containers`,
    { hint: `Say which: ${choices.join(', ')}.` },
  );
}

function slotOf({ session, adopted }: Container): number | undefined {
  return session?.slot ?? adopted?.slot;
}
