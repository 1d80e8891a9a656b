// The layout rules (docs/architecture.md) as pure functions from a file to complaints.
import type { Import, SourceFile } from './source.ts';

export interface Rule {
  readonly about: string;
  readonly applies: (path: string) => boolean;
  readonly complaints: (file: SourceFile) => string[];
}

const linesMax = 300;
/** Files above the limit, with their maximum length. The list only shrinks. */
const longFiles: Readonly<Record<string, number>> = {};

const domains = [
  'attention',
  'monitor',
  'logins',
  'config',
  'network',
  'tools',
  'trees',
  'session',
  'setup',
  'image',
];
/** Bottom-up: a folder imports nothing from those above it, not even types. */
const floors = [
  'incus',
  'host',
  'addresses',
  'attention',
  'monitor',
  'logins',
  'config',
  'coid-api',
  'network',
  'tools',
  'session',
  'trees',
  'setup',
  'image',
  'daemon',
  'app',
  'cli',
];
/** Shared vocabulary that every layer except the adapters may import. */
const vocabulary = [
  'src/errors.ts',
  'src/guest-user.ts',
  'src/names.ts',
  'src/instance-keys.ts',
  'src/pluralize.ts',
  'src/printable.ts',
  'src/shell-quoting.ts',
  'src/version.ts',
  'src/coid-api/protocol.ts',
];
/** Entry points of external data: sockets, files, programs, instance keys. */
const entrances = [
  'src/attention/',
  'src/coid-api/exchange.ts',
  'src/coid-api/watch-protocol.ts',
  'src/config/key-lines.ts',
  'src/daemon/api/server.ts',
  'src/daemon/control.ts',
  'src/daemon/monitor/adopted.ts',
  'src/daemon/monitor/suspect.ts',
  'src/daemon/state-file.ts',
  'src/host/',
  'src/incus/',
  'src/logins/formats/login.ts',
  'src/monitor/',
  'src/network/policy.ts',
  'src/session/plan/ports.ts',
  'src/session/record/',
  'src/setup/',
  'src/tools/',
  'src/trees/tree-record.ts',
];
const edges = [
  'src/main.ts',
  'src/cli/program.ts',
  'src/cli/completion-entry.ts',
  'src/cli/app.ts',
  'src/app/make-context.ts',
  'src/index.ts',
  'src/cli/commands/host/daemon-run.ts',
];
/** Exceptions to the rules. */
export const exceptions = [...vocabulary, ...entrances, ...edges];
const commandLinesMax = 100;

const isTest = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/');
export const isSource = (path: string) =>
  path.startsWith('src/') && path.endsWith('.ts') && !isTest(path);
const isScript = (path: string) => /\.(ts|mjs)$/.test(path);
const folderOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];

/** Why a file in that folder may not import this, or undefined if it may. */
function importComplaint(from: string, { target, typeOnly }: Import): string | undefined {
  const own = folderOf(from);
  if (!target.startsWith('src/')) return undefined;
  const other = folderOf(target);
  if (own !== undefined && own === other) return undefined;
  if (target === 'src/main.ts') return 'nothing imports main.ts';
  if (own === 'incus') return 'incus/ imports nothing from coi';
  if (own === 'host')
    return ['src/errors.ts', 'src/shell-quoting.ts'].includes(target)
      ? undefined
      : 'host/ may import only errors.ts and shell-quoting.ts';
  if (other === 'cli' && own !== undefined) return 'only main.ts and cli/ import cli/';
  if (other === 'cli' && from === 'src/index.ts') return 'the library may not import cli/';
  if (vocabulary.includes(target) || other === 'addresses') return undefined;
  if (own === undefined || own === 'cli') return undefined;
  if (other === 'app') return 'only cli/ and index.ts import app/';
  if (other !== undefined && floors.indexOf(other) > floors.indexOf(own))
    return `${other}/ lies above ${own}/`;
  if (own === 'app' || own === 'daemon' || own === 'coid-api' || typeOnly) return undefined;
  if (domains.includes(own) && other !== undefined && domains.includes(other)) return undefined;
  return `${own}/ may import this with \`import type\` only`;
}

/** `process`, `console` and the clock belong to the edge of the program. */
function isEdge(path: string): boolean {
  return edges.includes(path) || /^src\/(host|cli\/ui)\//.test(path);
}

export function matches(
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
    about:
      'Imports follow the layers: adapters do not know coi, and the domain imports them only as types.',
    applies: isSource,
    complaints: ({ path, imports }) =>
      imports.flatMap((one) => {
        const complaint = importComplaint(path, one);
        return complaint === undefined ? [] : [`imports ${one.target}: ${complaint}`];
      }),
  },
  identity: {
    about:
      'A change to an existing container identifies it by name and id: session/record/change-instance.ts.',
    applies: (path) =>
      isSource(path) &&
      path !== 'src/session/record/change-instance.ts' &&
      // image/ changes only its own containers, whose names are unique.
      !/^src\/(?:incus|image)\//.test(path),
    complaints: ({ code }) =>
      matches(
        code,
        /\.(?:changeState|deleteInstance|updateInstance|replaceInstance|(?:create|restore|delete)Snapshot)\(/g,
        ([found]) => `${found.slice(1, -1)} by a bare name`,
      ),
  },
  views: {
    about: 'Views turn a model into text or JSON without side effects.',
    applies: (path) => isSource(path) && path.startsWith('src/cli/ui/views/'),
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
    about: 'File and folder names describe the content.',
    applies: isScript,
    complaints: ({ path }) =>
      path
        .split('/')
        .filter((part) => /^(?:utils?|helpers?|commons?|managers?|misc)(?:\.|$)/.test(part))
        .map((part) => `"${part}" is not descriptive`),
  },
  head: {
    about: 'A file begins with a comment that describes it.',
    applies: isSource,
    complaints: ({ text }) => (/^\/[/*]/.test(text) ? [] : ['begins with code']),
  },
  length: {
    about: `A file has at most ${linesMax} lines.`,
    applies: isScript,
    complaints: ({ path, text }) => {
      const lines = text.split('\n').length - 1;
      const allowed = longFiles[path];
      if (allowed !== undefined && lines <= linesMax)
        return ['is within the limit now: remove it from longFiles'];
      return lines > (allowed ?? linesMax)
        ? [`${lines} lines, ${allowed ?? linesMax} are allowed`]
        : [];
    },
  },
  edge: {
    about: 'process, console and Date.now are used only at the edge.',
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
  json: {
    about: 'JSON is parsed and validated only where it enters.',
    applies: (path) => isSource(path) && !entrances.some((entrance) => path.startsWith(entrance)),
    complaints: ({ code }) => matches(code, /\bJSON\.parse\b/g, () => 'parses JSON'),
  },
  brands: {
    about: 'Text becomes a name, a slot or an id only in names.ts.',
    applies: (path) => isSource(path) && path !== 'src/names.ts',
    complaints: ({ code }) =>
      matches(
        code,
        /\bas (?:ContainerName|Slot|SessionId|WorkspacePath|WorkspaceHash|Alias|ImageAlias)\b/g,
        ([found]) => found,
      ),
  },
  commands: {
    about: `A command has at most ${commandLinesMax} lines: flags, request, view.`,
    applies: (path) => isSource(path) && path.startsWith('src/cli/commands/'),
    complaints: ({ text }) => {
      const lines = text.split('\n').length - 1;
      return lines > commandLinesMax ? [`${lines} lines, ${commandLinesMax} are allowed`] : [];
    },
  },
  commander: {
    about: 'Only cli/ imports commander.',
    applies: (path) => isSource(path) && !path.startsWith('src/cli/'),
    complaints: ({ imports }) =>
      imports.some(({ target }) => target === 'commander') ? ['imports commander'] : [],
  },
  programs: {
    about: 'Host programs are started only in host/process/program.ts.',
    applies: (path) => isSource(path) && path !== 'src/host/process/program.ts',
    complaints: ({ imports }) =>
      imports
        .filter(({ target }) => /^(node:)?child_process$/.test(target))
        .map(({ target }) => `imports ${target}`),
  },
  spread: {
    about: 'An object literal is not spread just to save lines.',
    applies: isSource,
    complaints: ({ code }) => matches(code, /\.\.\.\{/g, () => 'spreads a literal'),
  },
  waits: {
    about: 'Tests wait for events, not for time.',
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
    about: 'No test is marked skip, only or todo.',
    applies: (path) => path.endsWith('.test.ts'),
    complaints: ({ code }) => [
      ...matches(code, /\b(?:test|it|describe|suite|t)\.(?:skip|only|todo)\(/g, ([found]) => found),
      ...matches(code, /\{[^{}\n]*\b(?:skip|only|todo):/g, () => 'an option that leaves tests out'),
    ],
  },
  catches: {
    about: 'An ignored error has a comment with the reason.',
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
