// Which registry the host's npm uses: its name is configuration of the host, never a constant of a program.
import { readFileSync } from 'node:fs';
import { answerOf } from '../process/ask-program.ts';

const limitMs = 10_000;

/** Host name of npm's registry by its environment, its files, or npm itself (slow, so last); undefined without npm. */
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
  // Asked where we are: npm looks for a file of the project, too.
  const asked = () =>
    answerOf(['npm', 'config', 'get', 'registry'], { timeoutMs: limitMs, cwd: '.' })?.trim();
  return hostOf(known ?? asked());
}

function registryLine(path: string): string | undefined {
  try {
    return /^\s*registry\s*=\s*"?([^"\s]+)/m.exec(readFileSync(path, 'utf8'))?.[1];
  } catch {
    // No such file, or not ours to read.
    return undefined;
  }
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname || undefined : undefined;
}
