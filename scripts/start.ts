// `npm start`: from a fresh clone on a bare machine to an agent's screen in the directory that npm was called in.
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
  await runStep('Building the image of sessions (some minutes, once)', [coi, 'build']);
if (process.stdin.isTTY && process.stdout.isTTY) {
  const shell = spawnSync(coi, ['shell', '--workspace', workspace], {
    stdio: 'inherit',
    cwd: workspace,
  });
  process.exitCode = shell.status ?? 1;
} else {
  await background();
}

/** As root, or through sudo where something has to be changed. */
async function setUp(): Promise<void> {
  if (process.geteuid?.() === 0) return runStep('Making this host ready', [coi, 'setup', '--yes']);
  // An ordinary user finds out without a password whether there is anything to do.
  if ((await run([coi, 'setup', '--yes'])).status === 0) return;
  await runStep('Making this host ready (sudo may ask for your password)', [
    'sudo',
    coi,
    'setup',
    '--yes',
  ]);
}

async function runStep(title: string, argv: readonly string[]): Promise<void> {
  say(`${title}...`);
  const { status, elapsedMs } = await run(argv, { show: true });
  if (status === 0) return say(`${title}: done (${seconds(elapsedMs)})`);
  say(
    `${title}: FAILED; the lines above say why. Then run npm start again: it goes on where it stopped.`,
  );
  process.exit(1);
}

async function hasImage(): Promise<boolean> {
  const { output } = await run([coi, 'health', '--json']);
  try {
    const report = JSON.parse(output) as { checks: { image?: { status?: string } } };
    return report.checks.image?.status === 'ok';
  } catch {
    // Building tells what is wrong better than this would.
    return false;
  }
}

/** Without a terminal: the session runs on its own; its screen is printed, and how to get to it. */
async function background(): Promise<void> {
  const { status, output } = await run([coi, 'shell', '--background', '--workspace', workspace]);
  say(output.trimEnd());
  const container = /^Container: (\S+)$/m.exec(output)?.[1];
  if (status !== 0 || container === undefined) process.exit(status || 1);
  const screen = await firstScreen(container);
  process.stdout.write(`${'-'.repeat(80)}\n${screen}\n${'-'.repeat(80)}\n`);
  process.stdout.write(
    `The agent runs in ${container}. To talk to it, in a terminal: ${coi} attach ${container}\nTo end it: ${coi} kill ${container}\n`,
  );
}

/**
 * What tmux shows as soon as it stays the same for a moment; tmux has no event for "has drawn". Through coi, which
 * gets a login from before the setup into the group of Incus.
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

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
