// Reads the repository's own text for the tidy rules.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SourceFile {
  /** Relative to the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The same length and lines, with comments and string contents blanked. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

const ignored = new Set(['node_modules', '.git', 'dist', 'release', 'results', '.coi']);

/** Every file of the repository, relative to its root, without paths that git ignores. */
export function repositoryFiles(root: string, under = ''): string[] {
  return readdirSync(join(root, under), { withFileTypes: true }).flatMap((entry) => {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (ignored.has(entry.name) || entry.name.startsWith('dist.')) return [];
    return entry.isDirectory() ? repositoryFiles(root, path) : entry.isFile() ? [path] : [];
  });
}

export function readSource(root: string, path: string): SourceFile {
  return sourceFile(path, readFileSync(join(root, path), 'utf8'));
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: codeOnly(text), imports: importsOf(path, text) };
}

/** Blanks comments, strings and regular expressions; the code inside `${}` of a template stays. */
export function codeOnly(text: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)|\}(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)|[{}]|(?<=[(,=:[!&|?;{}\n]\s*|\breturn\s)\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  const open: ('brace' | 'template')[] = [];
  let code = '';
  for (let at = 0; at < text.length; ) {
    token.lastIndex = at;
    let part = token.exec(text)?.[0] ?? text.charAt(at);
    // A brace continues a template only if the innermost open token is one.
    if (part.startsWith('}') && part.length > 1 && open.at(-1) !== 'template') part = '}';
    const inTemplate = part.startsWith('`') || (part.startsWith('}') && open.at(-1) === 'template');
    if (part.startsWith('}')) open.pop();
    if (inTemplate && part.endsWith('${')) open.push('template');
    if (part === '{') open.push('brace');
    code += part.length === 1 ? part : blank(part);
    at += part.length;
  }
  return code;
}

function importsOf(path: string, text: string): Import[] {
  const statement =
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+\s+from\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;
  const typeQuery = /(?:[:<|&]\s*|typeof\s+)import\($/;
  return [...text.matchAll(statement)].map((match) => {
    const upToHere = text.slice(Math.max(0, match.index - 20), match.index + 'import('.length);
    const typeOnly = Boolean(match[1]) || (match[3] !== undefined && typeQuery.test(upToHere));
    return { target: resolved(path, match[2] ?? match[3] ?? ''), typeOnly };
  });
}

/** Resolves a relative import to a path from the root; packages and `node:` names are unchanged. */
export function resolved(from: string, target: string): string {
  if (!target.startsWith('.')) return target;
  const parts = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
