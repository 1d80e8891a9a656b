// The rules of the layout that look at more than one file, and those for any kind of text. Pure.
import { isSource, matches } from './rules.ts';
import { resolved, type SourceFile } from './source.ts';

const filesMax = 20;

/** Folders of src/ with more files than a reader takes in, tests not counted. */
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

/** Functions, constants and classes of src/ that are exported for nobody, each as `path: name`. Tests count as somebody. */
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

/** Circles of imports between files of src/, types included: each as the files on the way, from one of them back to it. */
export function circles(files: readonly Pick<SourceFile, 'path' | 'imports'>[]): string[][] {
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

/** Files that a document, or a comment of a program, names and that are not there (any more): by their name, or the end of their path. */
export function missingFiles(path: string, text: string, files: readonly string[]): string[] {
  const said = path.endsWith('.md')
    ? text
    : text.replaceAll(/^.*$/gm, (line) => /(?:\/\/|\/\*\*|^\s*\*)(.*)/.exec(line)?.[1] ?? '');
  const isThere = (name: string) =>
    files.some((file) => file === name || file.endsWith(`/${name}`));
  return matches(said, /(?<![\w./@{}*-])((?:[\w-]+\/)*[\w-]+(?:\.test)?\.ts)\b/g, ([name]) =>
    isThere(name) ? '' : `names ${name}`,
  ).filter((complaint) => !complaint.endsWith(': '));
}

/** Complaints about text of any kind of file; `hosts` are the package servers of this machine. */
export function textComplaints(text: string, hosts: readonly string[]): string[] {
  // Written in two parts, since this file is looked at too.
  const machinePath = new RegExp(`(?<![\\w.-])/${'wor'}k/`, 'g');
  return [
    ...matches(text, machinePath, () => 'a path of one machine'),
    ...hosts
      .filter((host) => text.includes(host))
      .map((host) => `names the package server ${host}`),
  ];
}
