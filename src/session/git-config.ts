// What the configuration of a git repository makes git run or read. Never by asking git, which would run it. Pure.

/**
 * Paths in the workspace that git's configuration names as programs, hooks or further configuration; `git` is the
 * directory that holds it. They may go over links and `..`, which are not followed here.
 */
export function namedInConfig(config: string, git = '.git'): string[] {
  const named = config.split('\n').flatMap((line) => {
    const [, key = '', value = ''] = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (
      !/^(?:hookspath|path|attributesfile|fsmonitor|sshcommand|pager|editor|askpass|textconv|command|clean|smudge|process|helper)$/i.test(
        key,
      )
    )
      return [];
    const isPath = /^(?:hookspath|path|attributesfile)$/i.test(key);
    const word = value.replace(/^"(.*)"$/, '$1').split(/\s/)[0] ?? '';
    // A program without a slash is looked for in PATH.
    if (!isPath && !word.includes('/')) return [];
    // Paths of hooks start at the top of the worktree, those of includes beside the file that names them.
    const path = /^path$/i.test(key) ? joined(git, word) : joined('', word);
    return path === undefined ? [] : [path];
  });
  return [...new Set(named)].filter(
    (path) => path !== '' && path !== git && !path.startsWith(`${git}/`),
  );
}

/** Joins without leaving the workspace; undefined for what is elsewhere. */
function joined(directory: string, path: string): string | undefined {
  if (path === '' || path.startsWith('/') || path.startsWith('~') || path.startsWith('!'))
    return undefined;
  const above = directory === '' ? [] : directory.split('/');
  const below: string[] = [];
  for (const part of path.split('/')) {
    // What is above has no links; after a link, `..` leads elsewhere than back.
    if (part === '..' && below.length === 0) {
      if (above.pop() === undefined) return undefined;
    } else if (part !== '.' && part !== '') below.push(part);
  }
  return [...above, ...below].join('/');
}
