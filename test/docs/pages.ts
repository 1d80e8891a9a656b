// Parses the user documentation: code blocks and the command lines in them.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export interface Block {
  /** The info string after the three backticks: `sh test`, `toml`, ... */
  readonly kind: string;
  readonly text: string;
}

export interface Page {
  /** Its file name without the extension. */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** README, the threat model and every page of the guide. */
export function pages(): Page[] {
  const guide = join(root, 'docs/guide');
  const files = readdirSync(guide).map((name) => join(guide, name));
  return [join(root, 'README.md'), join(root, 'docs/threat-model.md'), ...files.sort()].map(page);
}

function page(file: string): Page {
  const text = readFileSync(file, 'utf8');
  const blocks = [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(
    ([, kind = '', content = '']) => ({ kind, text: content }),
  );
  const folder = file.includes('/guide/') ? 'guide/' : '';
  return { name: `${folder}${basename(file, '.md')}`, text, blocks };
}

/** The coi command lines of a page: complete ones from its sh blocks, partial ones from prose and tables. */
export function commandLines({ text, blocks }: Page): { line: string; whole: boolean }[] {
  const ofBlocks = blocks
    .filter(({ kind }) => /^sh( test)?$/.test(kind))
    .flatMap(({ text: script }) => script.split('\n').flatMap(coiCommands))
    .map((line) => ({ line, whole: true }));
  const prose = text.replace(/^```.*?^```$/gms, '');
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const ofProse = inline.flatMap(coiCommands).map((line) => ({ line, whole: false }));
  return [...ofBlocks, ...ofProse];
}

/** Every `coi …` in a shell line, without the surrounding commands. */
function coiCommands(line: string): string[] {
  const code = line.replace(/(^|\s)#.*$/, '');
  return [...code.matchAll(/(?:^|[\s(|&;])(coi(?: [^|&;]*)?)(?=$|[|&;])/g)].map(
    ([, command = '']) => command.trim(),
  );
}

/** Words as the shell splits them; an expansion stays one word. */
export function words(line: string): string[] {
  const pattern = /(?:"(?:\\.|\$\([^)]*\)|[^"])*"|'[^']*'|\$\([^)]*\)|[^\s"'])+/g;
  return (line.match(pattern) ?? [])
    .map((word) => word.replace(/^["'](.*)["']$/s, '$1'))
    .filter((word) => !/^\d?>/.test(word));
}
