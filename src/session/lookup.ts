// From what a user typed to the container that is meant: a name, an alias, or an alias with a slot. Pure.
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import type { Container } from './record.ts';

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
  const aliased = containers.filter(({ session }) => session?.alias === word);
  if (aliased.length > 0) return onlyOne(aliased, word);
  const [, alias, slot] = /^(.+)-(\d{1,2})$/.exec(word) ?? [];
  return containers.find(
    ({ session }) =>
      alias !== undefined && session?.alias === alias && session.slot === Number(slot),
  );
}

function onlyOne(aliased: readonly Container[], alias: string): Container | undefined {
  const live = aliased.filter(({ status }) => status !== 'Stopped');
  const candidates = live.length > 0 ? live : aliased;
  if (candidates.length === 1) return candidates[0];
  const choices = candidates.map(({ name, session }) => `${alias}-${session?.slot} (${name})`);
  throw new CoiError(
    'alias-invalid',
    `alias ${quoted(alias)} means ${candidates.length} containers`,
    { hint: `Say which: ${choices.join(', ')}.` },
  );
}
