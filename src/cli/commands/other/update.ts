// coi update: whether there is a newer release, asked of npm's own client. It installs nothing by itself.
import type { Command } from 'commander';
import { CoiError } from '../../../errors.ts';
import { answerOf } from '../../../host/process/ask-program.ts';
import { isNewer, released } from '../../../version.ts';
import type { App } from '../../app.ts';

const askMs = 30_000;

export function register(command: Command, app: App): void {
  command
    .argument('[what]', 'taken and ignored: core or patterns, as in older versions')
    .option('--check', 'only say whether there is a newer release')
    .option('-f, --force', 'taken and ignored, as in older versions')
    .option('--dry-run', 'the same as --check')
    .option('--json', 'print JSON')
    .action((_what: string | undefined, { json = false }: { json?: boolean }) => update(app, json));
}

function update(app: App, json: boolean): void {
  const { version } = app;
  if (released === undefined)
    throw new CoiError('failed', `v${version} is a development build, which has no releases`, {
      hint: 'In its checkout: git pull && npm ci && npm run build && sudo ./coi setup',
    });
  const latest = answerOf(['npm', 'view', released, 'version'], { timeoutMs: askMs });
  if (!latest || !/^\d+\.\d+\.\d+/.test(latest))
    throw new CoiError('failed', 'npm does not tell the newest release', {
      hint: `Is the registry in reach? Try: npm view ${released} version`,
    });
  const newer = isNewer(latest, version);
  if (json) {
    app.io.printJson({ version, latest, update_available: newer });
    return;
  }
  app.io.print(
    newer
      ? `v${latest} is available (this is v${version}).\nInstall it with: ${upgrade(`${released}@${latest}`)}`
      : `v${version} is up to date.`,
  );
}

/**
 * `coi` itself is what setup installed, of this version, in /usr/local/bin: so the new one is named by its place, and npm
 * is told that it may put its own link over setup's, where both are in that directory.
 */
function upgrade(release: string): string {
  return `sudo npm install -g --force ${release} && sudo "$(npm prefix -g)/bin/coi" setup`;
}
