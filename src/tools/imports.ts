// Files that an instruction file takes in by `@path`, as Claude Code and Gemini CLI do. Pure.

const importsMax = 50;

/** Markdown files below the agent's own directory, relative to it. */
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
