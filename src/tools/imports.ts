// Files that an instruction file imports with `@path`, as in Claude Code and Gemini CLI. Pure.

const importsMax = 50;

/** Imported text files below the agent's directory, relative to it. */
export function importedFiles(text: string, directory: string): string[] {
  const found = new Set<string>();
  for (const [, path = ''] of text.matchAll(/(?<=^|\s)@([^\s`]+\.(?:md|txt))(?=$|[\s.,;:)])/gm)) {
    const relative = path.startsWith(`~/${directory}/`)
      ? path.slice(directory.length + 3)
      : path.replace(/^\.\//, '');
    const plain = relative.split('/').every((name) => name !== '' && !/^\.{1,2}$/.test(name));
    if (plain && !relative.startsWith('~')) found.add(relative);
    if (found.size === importsMax) break;
  }
  return [...found];
}
