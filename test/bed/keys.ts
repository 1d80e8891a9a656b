// Key names and the bytes that a terminal sends for them.

const named: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\u001b',
  tab: '\t',
  space: ' ',
  backspace: '\u007f',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
};

/** Bytes for space-separated keys, for example `ctrl-b d` or `enter`. */
export function keySequence(keys: string): string {
  return keys.split(' ').map(keyBytes).join('');
}

function keyBytes(key: string): string {
  const control = /^ctrl-([a-z\\])$/.exec(key)?.[1];
  if (control !== undefined) return String.fromCharCode(control.charCodeAt(0) & 0x1f);
  const bytes = named[key] ?? (key.length === 1 ? key : undefined);
  if (bytes === undefined) throw new Error(`no key ${key}`);
  return bytes;
}
