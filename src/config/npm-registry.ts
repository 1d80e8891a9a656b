// The npm registry's host, which allowlist mode lets through: no name is built in, npm's own configuration says it.
import type { HostFiles } from '../host/files.ts';
import { npmRegistryEntry } from './keys-reach.ts';

const npmrcMaxBytes = 2 ** 20;

export interface RegistryFacts {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `entries` with the registry's `host` or `host:port` in its place; without it where npm does not say one. */
export async function allowedDomains(
  entries: readonly string[],
  registry: () => Promise<string | undefined>,
): Promise<readonly string[]> {
  if (!entries.includes(npmRegistryEntry)) return entries;
  const host = await registry();
  return entries.flatMap((entry) =>
    entry === npmRegistryEntry ? (host === undefined ? [] : [host]) : [entry],
  );
}

/** What npm's variables and the user's .npmrc say: cheap, but silent where npm uses its own default. */
export function configuredRegistry(
  { home, env }: RegistryFacts,
  files: HostFiles,
): string | undefined {
  const variable = env['npm_config_registry'] ?? env['NPM_CONFIG_REGISTRY'];
  return registryHost(variable) ?? registryHost(fileRegistry(home, env, files));
}

/** `host` or `host:port` of a registry's address. */
export function registryHost(address: string | undefined): string | undefined {
  const url = address === undefined ? null : URL.parse(address.trim());
  return url && /^https?:$/.test(url.protocol) && url.host !== '' ? url.host : undefined;
}

/** The last `registry = …` of an .npmrc, with `${NAME}` filled in as npm does; other keys may be secret and are not kept. */
export function npmrcRegistry(text: string, env: RegistryFacts['env']): string | undefined {
  let found: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const value = /^\s*registry\s*=\s*(.*?)\s*$/.exec(line)?.[1];
    if (value)
      found = value
        .replace(/^(["'])(.*)\1$/, '$2')
        .replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole);
  }
  return found;
}

function fileRegistry(
  home: string,
  env: RegistryFacts['env'],
  files: HostFiles,
): string | undefined {
  try {
    const content = files.readUserFile(home, '.npmrc', { maxBytes: npmrcMaxBytes });
    return content && npmrcRegistry(content.text, env);
  } catch (error) {
    if (files.problem(error)) return undefined;
    throw error;
  }
}
