// The rules of the layout (docs/architecture.md) as pure functions: a file goes in, complaints come out.
import type { Import, SourceFile } from './source.ts';

export interface Rule {
  readonly about: string;
  readonly applies: (path: string) => boolean;
  readonly complaints: (file: SourceFile) => string[];
}

const linesMax = 300;
/** Files that are longer than they should be, with the length they may not exceed. It only shrinks. */
const longFiles: Readonly<Record<string, number>> = {};

const domains = ['session', 'logins', 'network', 'tools', 'config', 'image', 'setup', 'monitor'];
/** Words with a meaning of their own (types and constants only), which every layer but the adapters may use. */
const vocabulary = ['src/errors.ts', 'src/names.ts', 'src/daemon/protocol.ts'];

const isTest = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/');
const isSource = (path: string) => path.startsWith('src/') && path.endsWith('.ts') && !isTest(path);
const isScript = (path: string) => /\.(ts|mjs)$/.test(path);
const folderOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];

/** Why a file of that folder may not import that, or undefined if it may. */
function importComplaint(from: string, { target, typeOnly }: Import): string | undefined {
  const own = folderOf(from);
  if (!target.startsWith('src/')) return undefined;
  const other = folderOf(target);
  if (own !== undefined && own === other) return undefined;
  if (target === 'src/main.ts') return 'nothing imports main.ts';
  if (own === 'incus') return 'incus/ knows nothing of coi';
  if (own === 'host')
    return target === 'src/errors.ts' ? undefined : 'host/ knows of coi only errors.ts';
  if (own === undefined || own === 'commands' || vocabulary.includes(target)) return undefined;
  if (other === 'commands') return 'only main.ts and commands/ import commands/';
  if (own === 'daemon' || typeOnly) return undefined;
  if (domains.includes(own) && other !== undefined && domains.includes(other)) return undefined;
  return `${own}/ may import this with \`import type\` only`;
}

/** `process`, `console` and the clock belong to the edge of the program. */
function isEdge(path: string): boolean {
  const files = [
    'src/main.ts',
    'src/cli.ts',
    'src/names-only.ts',
    'src/app.ts',
    'src/index.ts',
    'src/commands/daemon.ts',
    'src/daemon/main.ts',
  ];
  return files.includes(path) || /^src\/(host|ui)\//.test(path);
}

function matches(
  text: string,
  pattern: RegExp,
  complaint: (match: RegExpExecArray) => string,
): string[] {
  return [...text.matchAll(pattern)].map((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return `line ${line}: ${complaint(match)}`;
  });
}

export const rules: Readonly<Record<string, Rule>> = {
  direction: {
    about: 'Adapters know nothing of coi, the domain gets the world as values, glue connects.',
    applies: isSource,
    complaints: ({ path, imports }) =>
      imports.flatMap((one) => {
        const complaint = importComplaint(path, one);
        return complaint === undefined ? [] : [`imports ${one.target}: ${complaint}`];
      }),
  },
  meant: {
    about: 'Whatever changes an existing container names it by name and id: session/act.ts.',
    applies: (path) =>
      isSource(path) &&
      path !== 'src/session/act.ts' &&
      // What image/ changes are containers of its own, whose names nobody else gives out.
      !/^src\/(?:incus|image)\//.test(path),
    complaints: ({ code }) =>
      matches(
        code,
        /\.(?:changeState|deleteInstance|updateInstance|replaceInstance|(?:create|restore|delete)Snapshot)\(/g,
        ([found]) => `${found.slice(1, -1)} by a bare name`,
      ),
  },
  views: {
    about: 'Views turn a model into text or JSON and touch nothing.',
    applies: (path) => isSource(path) && path.startsWith('src/ui/views/'),
    complaints: ({ code, imports }) => [
      ...imports
        .filter(({ target }) => target.startsWith('node:'))
        .map(({ target }) => `imports ${target}`),
      ...matches(
        code,
        /\b(?:process\.|console\.|Date\.now|new Date\(\)|await\b)/g,
        ([found]) => `${found} in a view`,
      ),
    ],
  },
  names: {
    about: 'Files and folders tell what they hold.',
    applies: isScript,
    complaints: ({ path }) =>
      path
        .split('/')
        .filter((part) => /^(?:utils?|helpers?|commons?|managers?|misc)(?:\.|$)/.test(part))
        .map((part) => `"${part}" says nothing`),
  },
  length: {
    about: `A file has at most ${linesMax} lines.`,
    applies: isScript,
    complaints: ({ path, text }) => {
      const lines = text.split('\n').length - 1;
      const allowed = longFiles[path];
      if (allowed !== undefined && lines <= linesMax)
        return ['is short now: take it off longFiles'];
      return lines > (allowed ?? linesMax)
        ? [`${lines} lines, ${allowed ?? linesMax} are allowed`]
        : [];
    },
  },
  edge: {
    about: 'process, console and Date.now are used at the edge only.',
    applies: (path) => isSource(path) && !isEdge(path),
    complaints: ({ code, imports }) => [
      ...matches(
        code,
        /(?<![.\w])(?:process\.\w+|console\.\w+|Date\.now)/g,
        ([found]) => `${found} outside the edge`,
      ),
      ...imports
        .filter(({ target }) => /^(node:)?process$/.test(target))
        .map(({ target }) => `imports ${target}`),
    ],
  },
  waits: {
    about: 'Tests wait for what happens, not for time.',
    applies: (path) => isScript(path) && isTest(path),
    complaints: ({ code, imports }) => [
      ...imports
        .filter(({ target }) => target.endsWith('timers/promises'))
        .map(() => 'imports timers/promises'),
      ...matches(code, /=>\s*(?:void\s+)?\{?\s*setTimeout\(\s*\w+\s*,/g, () => 'sleeps'),
      ...matches(code, /\bawait\s+(?:sleep|delay)\(/g, () => 'sleeps'),
    ],
  },
  skips: {
    about: 'No test is skipped, run alone or postponed.',
    applies: (path) => path.endsWith('.test.ts'),
    complaints: ({ code }) => [
      ...matches(code, /\b(?:test|it|describe|suite|t)\.(?:skip|only|todo)\(/g, ([found]) => found),
      ...matches(code, /\{[^{}\n]*\b(?:skip|only|todo):/g, () => 'an option that leaves tests out'),
    ],
  },
  catches: {
    about: 'An error that is dropped is dropped for a reason that is written down.',
    applies: isScript,
    complaints: ({ text, code }) => {
      const lines = text.split('\n');
      const commented = (index: number) => {
        const line = code.slice(0, index).split('\n').length;
        return [lines[line - 1], lines[line - 2]].some((shown) => shown?.includes('//'));
      };
      const empty = /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\(\)\s*=>\s*\{\s*\}\)/g;
      return [...code.matchAll(empty)]
        .filter((match) => !/\/[/*]/.test(text.slice(match.index, match.index + match[0].length)))
        .filter((match) => !commented(match.index))
        .map(
          (match) =>
            `line ${code.slice(0, match.index).split('\n').length}: an empty catch without a comment`,
        );
    },
  },
};

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
