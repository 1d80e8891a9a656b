// Finds git filters (git-lfs, git-crypt) that are missing in the container: without them git commits unfiltered files.
// Only reads files, never runs git. Pure.
import { quoted } from '../../names.ts';

/** Filters in the system configuration of coi's image. */
const provided = new Set(['lfs']);
/** Programs in coi's image that filters commonly use. */
const programs = new Set(
  `git git-lfs sh bash dash env cat sed awk perl python3 node npx jq tr cut sort head tail tee expand unexpand iconv
  gzip bzip2 xz zstd openssl base64 true`.split(/\s+/),
);

/** Missing filters, one short phrase each; `attributes` and `config` are the contents of git's files. */
export function missingFilters(attributes: readonly string[], config: string): string[] {
  const named = new Set(attributes.flatMap(filterNames));
  if ([...named].every((name) => provided.has(name))) return [];
  const known = configuredFilters(config);
  return [...named].toSorted().flatMap((name) => {
    const commands = known.get(name);
    if (!commands) return provided.has(name) ? [] : [`${shown(name)} (not configured)`];
    const missing = commands.map(programOf).find((program) => program && !programs.has(program));
    return missing ? [`${shown(name)} (no ${shown(missing)})`] : [];
  });
}

function shown(word: string): string {
  return /^[\w./-]{1,80}$/.test(word) ? word : quoted(word);
}

function filterNames(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => [...line.matchAll(/\sfilter=(\S+)/g)].flatMap(([, name]) => name ?? []));
}

/** The commands of each configured filter. */
function configuredFilters(config: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let commands: string[] | undefined;
  for (const line of config.split('\n')) {
    const section = /^\s*\[/.test(line);
    const [, name] = /^\s*\[filter\s+"((?:[^"\\]|\\.)*)"\s*\]/i.exec(line) ?? [];
    if (section) commands = undefined;
    if (name !== undefined) {
      commands = found.get(name) ?? [];
      found.set(name, commands);
    }
    const [, value] = /^\s*(?:clean|smudge|process)\s*=\s*(.*?)\s*$/i.exec(line) ?? [];
    if (value) commands?.push(value);
  }
  return found;
}

/** Undefined for a path in the workspace, and for commands that only a shell could resolve. */
function programOf(command: string): string | undefined {
  const word = /^"?(?:\\?['"])?([^\s'"\\]+)/.exec(command)?.[1] ?? '';
  if (/[$`(){}<>|;&=!]/.test(word)) return undefined;
  const inSystem = /^\/(?:usr\/)?bin\/([^/]+)$/.exec(word)?.[1];
  if (inSystem !== undefined) return inSystem;
  return word.includes('/') && !word.startsWith('/') ? undefined : word;
}
