// `coi update`: asks npm for a newer release. It installs nothing.
import type { Command } from 'commander';
import { CoiError } from '../../../errors.ts';
import { captureOutput } from '../../../host/process/capture-output.ts';
import { isNewer, packageName } from '../../../version.ts';
import type { App } from '../../app.ts';

const askMs = 30_000;

export function register(command: Command, app: App): void {
  command
    .argument('[what]', 'ignored, kept for compatibility (core or patterns)')
    .option('--check', 'only report whether there is a newer release')
    .option('-f, --force', 'ignored, kept for compatibility')
    .option('--dry-run', 'same as --check')
    .option('--json', 'print JSON')
    .action((_what: string | undefined, { json = false }: { json?: boolean }) => update(app, json));
}

function update(app: App, json: boolean): void {
  const { version } = app;
  if (packageName === undefined)
    throw new CoiError('failed', `v${version} is a development build, which has no releases`, {
      hint: 'In its checkout: git pull && npm ci && npm run build && sudo ./coi setup',
    });
  const latest = captureOutput(['npm', 'view', packageName, 'version'], { timeoutMs: askMs });
  if (!latest || !/^\d+\.\d+\.\d+/.test(latest))
    throw new CoiError('failed', 'npm did not report the newest release', {
      hint: `Check that the registry is reachable: npm view ${packageName} version`,
    });
  const newer = isNewer(latest, version);
  if (json) {
    app.io.printJson({ version, latest, update_available: newer });
    return;
  }
  app.io.print(
    newer
      ? `v${latest} is available (this is v${version}).\nInstall it with: ${upgrade(`${packageName}@${latest}`)}`
      : `v${version} is up to date.`,
  );
}

/**
 * `coi` is this version, which setup installed in /usr/local/bin, so the new version is called by its path. --force lets
 * npm replace the link of setup if both use that directory.
 */
function upgrade(release: string): string {
  return `sudo npm install -g --force ${release} && sudo "$(npm prefix -g)/bin/coi" setup`;
}
