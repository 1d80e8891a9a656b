// Key names for tmux. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

/** tmux's names. */
const names = [
  ...['Enter', 'Escape', 'Tab', 'BTab', 'Space', 'BSpace', 'Up', 'Down', 'Left', 'Right'],
  ...['Home', 'End', 'PageUp', 'PageDown', 'IC', 'DC'],
  ...Array.from({ length: 12 }, (_, at) => `F${at + 1}`),
];
/** Common other names. */
const synonyms: Readonly<Record<string, string>> = {
  backspace: 'BSpace',
  delete: 'DC',
  esc: 'Escape',
  insert: 'IC',
  return: 'Enter',
};
const known = new Map([
  ...names.map((name) => [name.toLowerCase(), name] as const),
  ...Object.entries(synonyms),
]);

/** A key in tmux notation: a name or one character, optionally after C-, M- and S-. Throws `usage`. */
export function parseKey(text: string): string {
  const [, modifiers = '', key = ''] = /^((?:[CMS]-)*)(.+)$/s.exec(text) ?? [];
  const name = known.get(key.toLowerCase()) ?? (/^[!-~]$/.test(key) ? key : undefined);
  // tmux would type an unknown name as text.
  if (name === undefined)
    throw new CoiError('usage', `${quoted(text)} is not a key`, {
      hint: `Use one character or ${names.join(', ')}, with C-, M- or S- before it.`,
    });
  return `${modifiers}${name}`;
}

/** The keys as arguments of a tmux command. */
export function keyWords(keys: readonly string[]): string {
  return keys.map((key) => (key.includes("'") ? `"${key}"` : `'${key}'`)).join(' ');
}
