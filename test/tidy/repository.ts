// Layout rules that span several files, and those for any text. Pure.
import { isSource, matches } from './rules.ts';
import { resolved, type SourceFile } from './source.ts';

const filesMax = 20;

/** Folders of src/ with too many files, tests not counted. */
export function fullFolders(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths.filter(isSource)) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > filesMax)
    .map(([folder, count]) => `${folder}: ${count} files, ${filesMax} are allowed`);
}

/** Unused exported functions, constants and classes of src/, as `path: name`. Use by a test counts. */
export function unusedExports(files: readonly Pick<SourceFile, 'path' | 'text'>[]): string[] {
  const used = new Set<string>();
  const whole = new Set<string>();
  for (const { path, text } of files) {
    for (const [, names = '', target = ''] of text.matchAll(
      /(?:import|export) (?:type )?\{([^}]*)\} from '(\.[^']*)'/g,
    ))
      for (const name of names.split(',').map((one) => one.trim().replace(/^type | as .*$/g, '')))
        used.add(`${resolved(path, target)}: ${name}`);
    for (const [, one, other] of text.matchAll(
      /import\(\s*'(\.[^']*)'|(?:import|export) (?:type )?\* (?:as \w+ )?from '(\.[^']*)'/g,
    ))
      whole.add(resolved(path, one ?? other ?? ''));
  }
  return files
    .filter(({ path }) => isSource(path) && path !== 'src/index.ts' && !whole.has(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)].map(
        ([, name]) => `${path}: ${name}`,
      ),
    )
    .filter((one) => !used.has(one));
}

/** Import cycles between files of src/, including types: each as its files, from one of them back to it. */
export function importCycles(files: readonly Pick<SourceFile, 'path' | 'imports'>[]): string[][] {
  const graph = new Map(
    files
      .filter(({ path }) => isSource(path))
      .map(({ path, imports }) => [path, imports.map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const found: string[][] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) {
      found.push([...way.slice(at), path]);
      return;
    }
    if (done.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

/** Missing files that a document or a comment names, by file name or the end of a path. */
export function missingFiles(path: string, text: string, files: readonly string[]): string[] {
  const result = path.endsWith('.md')
    ? text
    : text.replaceAll(/^.*$/gm, (line) => /(?:\/\/|\/\*\*|^\s*\*)(.*)/.exec(line)?.[1] ?? '');
  const isThere = (name: string) =>
    files.some((file) => file === name || file.endsWith(`/${name}`));
  return matches(result, /(?<![\w./@{}*-])((?:[\w-]+\/)*[\w-]+(?:\.test)?\.ts)\b/g, ([name]) =>
    isThere(name) ? '' : `names ${name}`,
  ).filter((complaint) => !complaint.endsWith(': '));
}

/** Complaints about any text; `hosts` are the package servers of this machine. */
export function textComplaints(text: string, hosts: readonly string[]): string[] {
  // Split in two, since this file is checked too.
  const machinePath = new RegExp(`(?<![\\w.-])/${'wor'}k/`, 'g');
  return [
    ...matches(text, machinePath, () => 'a path of one machine'),
    ...hosts
      .filter((host) => text.includes(host))
      .map((host) => `names the package server ${host}`),
  ];
}
