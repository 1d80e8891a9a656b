// Names of keys for tmux. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

/** As tmux spells them. */
const names = [
  ...['Enter', 'Escape', 'Tab', 'BTab', 'Space', 'BSpace', 'Up', 'Down', 'Left', 'Right'],
  ...['Home', 'End', 'PageUp', 'PageDown', 'IC', 'DC'],
  ...Array.from({ length: 12 }, (_, at) => `F${at + 1}`),
];
/** As people do. */
const others: Readonly<Record<string, string>> = {
  backspace: 'BSpace',
  delete: 'DC',
  esc: 'Escape',
  insert: 'IC',
  return: 'Enter',
};
const known = new Map([
  ...names.map((name) => [name.toLowerCase(), name] as const),
  ...Object.entries(others),
]);

/** The key in tmux's spelling: a name or one character, with C-, M- and S- before it. Throws `usage`. */
export function parseKey(text: string): string {
  const [, modifiers = '', key = ''] = /^((?:[CMS]-)*)(.+)$/s.exec(text) ?? [];
  const name = known.get(key.toLowerCase()) ?? (/^[!-~]$/.test(key) ? key : undefined);
  // tmux would type what it does not know as text.
  if (name === undefined)
    throw new CoiError('usage', `${quoted(text)} is no key`, {
      hint: `A key is one character or ${names.join(', ')}, with C-, M- or S- before it.`,
    });
  return `${modifiers}${name}`;
}

/** The keys as words of a command of tmux. */
export function keyWords(keys: readonly string[]): string {
  return keys.map((key) => (key.includes("'") ? `"${key}"` : `'${key}'`)).join(' ');
}
