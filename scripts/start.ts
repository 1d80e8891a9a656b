// `npm start`: prepares a bare host from a fresh clone and starts an agent in the directory in which npm was called.
import { spawnSync } from 'node:child_process';
import { root, run, seconds } from './run.ts';

const coi = `${root}/coi`;
const workspace = process.env['INIT_CWD'] ?? process.cwd();
/** How long an agent may take to draw its first screen. */
const screenLimitMs = 20_000;
const pollMs = 250;

await runStep('Building coi', [process.execPath, 'scripts/build.ts']);
await setUp();
if (!(await hasImage()))
  await runStep('Building the session image (takes some minutes, once)', [coi, 'build']);
if (process.stdin.isTTY && process.stdout.isTTY) {
  const shell = spawnSync(coi, ['shell', '--workspace', workspace], {
    stdio: 'inherit',
    cwd: workspace,
  });
  process.exitCode = shell.status ?? 1;
} else {
  await background();
}

/** Runs setup as root, or through sudo if something has to be changed. */
async function setUp(): Promise<void> {
  if (process.geteuid?.() === 0) return runStep('Preparing this host', [coi, 'setup', '--yes']);
  // Succeeds without a password if there is nothing to do.
  if ((await run([coi, 'setup', '--yes'])).status === 0) return;
  await runStep('Preparing this host (sudo may ask for your password)', [
    'sudo',
    coi,
    'setup',
    '--yes',
  ]);
}

async function runStep(title: string, argv: readonly string[]): Promise<void> {
  log(`${title}...`);
  const { status, elapsedMs } = await run(argv, { show: true });
  if (status === 0) return log(`${title}: done (${seconds(elapsedMs)})`);
  log(
    `${title}: FAILED; see the lines above. Then run npm start again: it continues where it stopped.`,
  );
  process.exit(1);
}

async function hasImage(): Promise<boolean> {
  const { output } = await run([coi, 'health', '--json']);
  try {
    const report = JSON.parse(output) as { checks: { image?: { status?: string } } };
    return report.checks.image?.status === 'ok';
  } catch {
    // `coi build` reports the problem better.
    return false;
  }
}

/** Without a terminal: starts the session in the background, and prints its screen and how to attach. */
async function background(): Promise<void> {
  const { status, output } = await run([coi, 'shell', '--background', '--workspace', workspace]);
  log(output.trimEnd());
  const container = /^Container: (\S+)$/m.exec(output)?.[1];
  if (status !== 0 || container === undefined) process.exit(status || 1);
  const screen = await firstScreen(container);
  process.stdout.write(`${'-'.repeat(80)}\n${screen}\n${'-'.repeat(80)}\n`);
  process.stdout.write(
    `The agent runs in ${container}. To attach in a terminal: ${coi} attach ${container}\nTo kill it: ${coi} kill ${container}\n`,
  );
}

/**
 * The screen in tmux, once it has stopped changing; tmux has no event for that. Uses coi, since this login session may
 * not have the Incus group yet.
 */
async function firstScreen(container: string): Promise<string> {
  const deadline = performance.now() + screenLimitMs;
  let before = '';
  for (;;) {
    const { status, output } = await run([coi, 'tmux', 'capture', container]);
    const now = status === 0 ? output.trimEnd() : '';
    if ((now !== '' && now === before) || performance.now() > deadline) return now;
    before = now;
    await new Promise((next) => setTimeout(next, pollMs));
  }
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}
