// `coi setup`: says what this host lacks, asks once, mends it.
import type { Command } from 'commander';
import { groundOf } from '../../../app/health/check-context.ts';
import { locked } from '../../../app/setup/setup-lock.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { type Ground, groups } from '../../../setup/check.ts';
import { checks } from '../../../setup/checks.ts';
import { type Probed, probeAll, verdict } from '../../../setup/report.ts';
import { planned } from '../../../setup/setup.ts';
import type { App } from '../../app.ts';
import { healthJson, summaryText } from '../../ui/views/health.ts';
import { notReadyText } from '../../ui/views/setup.ts';
import { removeSetup } from './setup-remove.ts';
import type { RemoveFlags } from './setup-remove-agree.ts';
import { agree, mendAll } from './setup-steps.ts';

interface Options {
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly build?: boolean;
  readonly remove?: boolean;
}

/** Building the image installs a whole system. */
const buildLimitMs = 60 * 60_000;

export function register(command: Command, app: App): void {
  command
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the outcome as JSON (the shape of `coi health --json`)')
    .option('--build', 'build the image of sessions too, if there is none')
    .option('--remove', 'take away what setup made on this host')
    .option('--sessions', 'with --remove: the containers of all sessions too, running or not')
    .option('--data', 'with --remove: your ~/.coi too (configuration, conversations, logins)')
    .option('--packages', 'with --remove: the packages that setup installed too')
    .option('-f, --force', 'with --remove: leave what is in the way as it is, and go on')
    .addHelpText(
      'after',
      '\nMay be run again at any time: what is there already is left alone. An existing Incus keeps its pools, profiles and networks.',
    )
    .action((options: Options & RemoveFlags) => run(options, app));
}

async function run(options: Options & RemoveFlags, app: App): Promise<void> {
  if (options.remove) return removeSetup(app, options, (work) => locked(app, work));
  for (const name of ['sessions', 'data', 'packages', 'force'] as const)
    if (options[name])
      throw new CoiError('usage', `--${name} is for --remove, and says how far that goes`, {
        hint: `coi setup --remove --${name}`,
      });
  const ground = groundOf(app);
  const before = await probeAll(checks, ground);
  const todo = planned(before);
  if (todo.length > 0) await agree(todo, options, app);
  const after = todo.length > 0 ? await locked(app, () => mendAll(ground, app)) : before;
  if (options.build) await buildImage(after, ground, app);
  finish(after, todo.length, options, app);
}

async function buildImage(
  probed: readonly Probed[],
  { machine, installer, signal }: Ground,
  app: App,
): Promise<void> {
  const image = probed.find(({ check }) => check.id === 'image');
  if (image?.finding.status === 'ok' || !installer) return;
  app.io.tell('Building the image of sessions...');
  const built = await machine.run([installer.places.linkPath, 'build'], {
    show: true,
    timeoutMs: buildLimitMs,
    signal,
  });
  if (built.status !== 0)
    throw new CoiError(
      'image-build-failed',
      'the image could not be built; the lines above say why',
    );
}

function finish(probed: readonly Probed[], done: number, options: Options, app: App): void {
  const state = verdict(probed);
  if (options.json)
    app.io.printJson(healthJson({ verdict: state, at: app.clock.now(), groups, probed }));
  for (const line of notReadyText(probed)) app.io.tell(line);
  if (state === 'unhealthy') throw new ExitStatus(1);
  if (options.json) return;
  app.io.print(
    done === 0
      ? `Nothing to do: this host is ready (${summaryText(probed)}).`
      : 'This host is ready: start a session with `coi` in a project.',
  );
}
