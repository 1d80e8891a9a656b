// The registry that the host's npm uses; it is host configuration, never a constant.
import { readFileSync } from 'node:fs';
import { captureOutput } from '../process/capture-output.ts';

const limitMs = 10_000;

/** The host name of npm's registry from the environment, npm's files, or npm itself (slow, so last); undefined without npm. */
export function npmRegistryHost({
  env,
  home,
}: {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
}): string | undefined {
  const inFiles = [`${home}/.npmrc`, '/etc/npmrc', '/usr/etc/npmrc', '/usr/local/etc/npmrc'].map(
    registryLine,
  );
  const known = [env['npm_config_registry'], env['NPM_CONFIG_REGISTRY'], ...inFiles].find(
    (url) => url !== undefined && url !== '',
  );
  // Run in the current directory: npm also reads the project's file.
  const asked = () =>
    captureOutput(['npm', 'config', 'get', 'registry'], { timeoutMs: limitMs, cwd: '.' })?.trim();
  return hostOf(known ?? asked());
}

function registryLine(path: string): string | undefined {
  try {
    return /^\s*registry\s*=\s*"?([^"\s]+)/m.exec(readFileSync(path, 'utf8'))?.[1];
  } catch {
    // The file does not exist or is not readable.
    return undefined;
  }
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname || undefined : undefined;
}
