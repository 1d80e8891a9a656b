// Directory and names for files that are dropped into a session. Pure.

/** Outside of the project, so neither git nor host tools see it. */
export function dropDirectory(home: string): string {
  return `${home}/drop`;
}

const nameMaxBytes = 100;

/** A name without special meaning for a shell, tmux or an agent; keeps the extension, which agents rely on. */
export function dropName(given: string): string {
  const safe = given
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+/, '')
    .replace(/-+(?=\.|$)/g, '');
  const { stem, ending } = parts(safe);
  return `${cut(stem, nameMaxBytes - Buffer.byteLength(ending)) || 'file'}${ending}`;
}

/** The name, or the first free one of `name-2`, `name-3` …. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  const { stem, ending } = parts(name);
  let free = name;
  for (let at = 2; taken.has(free); at++) free = `${stem}-${at}${ending}`;
  return free;
}

function parts(name: string): { stem: string; ending: string } {
  const [, stem = name, ending = ''] = /^(.+?)(\.[A-Za-z0-9]{1,10})$/.exec(name) ?? [];
  return { stem, ending };
}

/** Cuts a text to `maxBytes` at a character boundary. */
function cut(text: string, maxBytes: number): string {
  let kept = '';
  let size = 0;
  for (const character of text) {
    size += Buffer.byteLength(character);
    if (size > maxBytes) break;
    kept += character;
  }
  return kept;
}
