// Whether a repository's configuration contains only keys that make git run and obey nothing. Pure. Anything that these
// simple rules cannot parse is not harmless.
import { harmlessKeys } from '../git/config-keys.ts';
import { textMax } from './tree.ts';

export function isHarmlessConfig(text: string): boolean {
  // The file may be longer than the part that was read.
  if (text.length >= textMax) return false;
  let keys: ReadonlySet<string> | undefined;
  return text.split('\n').every((whole) => {
    const line = whole.trim();
    if (line === '' || /^[#;]/.test(line)) return true;
    const [, section, name] = /^\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\]$/.exec(line) ?? [];
    if (section !== undefined) {
      keys = harmlessKeys(section.toLowerCase(), name !== undefined);
      return keys !== undefined;
    }
    // Quotes, escapes and continuation lines are not interpreted, so they are not harmless.
    const [, key = '', value = ''] =
      /^([A-Za-z][A-Za-z0-9-]*)(?:\s*=\s*([^"\\]*))?$/.exec(line) ?? [];
    // A URL with `::` can name a program.
    return keys?.has(key.toLowerCase()) === true && !value.includes('::');
  });
}
