// Whether a repository's configuration holds nothing but what is known to make git run and obey nothing. Pure. What cannot
// be read by these simple rules is not harmless.
import { harmlessKeys } from '../git/keys.ts';
import { textMax } from './tree.ts';

export function isHarmlessConfig(text: string): boolean {
  // Longer than what was read of it.
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
    // Whatever is quoted, escaped or goes on in the next line may mean something else than it seems to.
    const [, key = '', value = ''] =
      /^([A-Za-z][A-Za-z0-9-]*)(?:\s*=\s*([^"\\]*))?$/.exec(line) ?? [];
    // An address of that kind names a program.
    return keys?.has(key.toLowerCase()) === true && !value.includes('::');
  });
}
