// Tab in real shells on a real terminal, with the scripts of `coi completion`, against a fake Incus.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, startScreen } from '../bed/screen.ts';
import { startFakeIncus } from '../fakes/incus/server.ts';

const prompt = 'ready>';

interface Shell {
  readonly name: string;
  readonly argv: readonly string[];
  /** A line that Tab completes, with the shell at its prompt. */
  readonly setUp: string;
}

const shells: readonly Shell[] = [
  {
    name: 'bash',
    argv: ['bash', '--norc', '--noprofile', '-i'],
    setUp: `source <(coi completion bash); PS1='${prompt}'`,
  },
  {
    name: 'zsh',
    argv: ['zsh', '-f', '-i'],
    setUp: `source <(coi completion zsh); PS1='${prompt}'`,
  },
  {
    name: 'fish',
    argv: ['fish', '--no-config', '-i'],
    setUp: `coi completion fish | source; function fish_prompt; echo -n '${prompt}'; end`,
  },
];

for (const shell of shells)
  test(`Tab in ${shell.name} completes commands, flags, values, names and paths with descriptions`, {
    timeout: 120_000,
  }, async () => {
    assertInstalled(shell.name);
    using fixture = new ConfigFixture();
    await using incus = await startFakeIncus();
    // A file that would be offered as a fallback, and one that is requested.
    for (const name of ['attic', 'zebra.toml']) writeFileSync(join(fixture.workspace, name), '');
    const bin = join(fixture.home, 'bin');
    mkdirSync(bin);
    symlinkSync(coiPath(), join(bin, 'coi'));
    const env = {
      PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: fixture.home,
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      INCUS_SOCKET: incus.socketPath,
    };
    const screen = startScreen(shell.argv, { env, cwd: fixture.workspace, columns: 120, rows: 40 });
    try {
      screen.type(`${shell.setUp}\r`);
      await screen.waitUntil('the prompt', (text) => lastLine(text) === prompt);
      // All candidates as words of the line, without their descriptions.
      if (shell.name === 'bash') {
        screen.type('coi network \x1b*');
        await screen.waitUntil('words', (text) =>
          /coi network .*\ballow\b.*\blog\b/.test(lastLine(text)),
        );
        assert.doesNotMatch(screen.text(), /coi network .*\(/);
        await emptied(screen);
      }
      await completes(screen, 'coi snap', 'coi snapshot ');
      await completes(screen, 'coi snapshot res', 'coi snapshot restore ');
      await completes(screen, 'coi shell --netw', 'coi shell --network ');
      await completes(screen, 'coi --network allow', 'coi --network allowlist ');
      await completes(screen, 'coi shell --tool=cla', 'coi shell --tool=claude ');
      await completes(screen, 'coi --tool ope', 'coi --tool opencode ');
      await completes(screen, 'coi config show network.mo', 'coi config show network.mode ');
      await completes(screen, 'coi validate config zeb', 'coi validate config zebra.toml ');
      await completes(screen, 'coi run --env-file=zeb', 'coi run --env-file=zebra.toml ');
      await completes(screen, 'coi run -- cat zeb', 'coi run -- cat zebra.toml ');
      await assertListed(screen, 'coi s', [
        'shell',
        'Start or resume an agent',
        'snapshot',
        'Create and restore snapshots',
      ]);
      await assertListed(screen, 'coi network ', ['allow', 'log', 'list what was refused', 'why']);
      // No session runs: nothing is offered, and no file of the directory instead.
      screen.type('coi kill at\t\t');
      screen.type('x');
      await screen.waitUntil('the letter', (text) => lastLine(text) === `${prompt}coi kill atx`);
      assert.doesNotMatch(screen.text(), /attic/);
    } finally {
      await screen.close();
    }
  });

/** Types the text, Tab and a letter that shows the cursor position; then clears the line. */
async function completes(screen: Screen, typed: string, whole: string): Promise<void> {
  screen.type(`${typed}\t`);
  await screen.waitUntil(whole, (text) => `${lastLine(text)} `.startsWith(`${prompt}${whole}`));
  screen.type('Q');
  await screen.waitUntil(`${whole}Q`, (text) => lastLine(text) === `${prompt}${whole}Q`);
  await emptied(screen);
}

/** Types the text and Tab twice, which lists the candidates. */
async function assertListed(
  screen: Screen,
  typed: string,
  shown: readonly string[],
): Promise<void> {
  screen.type(`${typed}\t\t`);
  await screen.waitUntil(shown.join(), (text) => shown.every((word) => text.includes(word)));
  // In fish this leaves the list first; in other shells it does nothing.
  screen.key('ctrl-g');
  await emptied(screen);
}

async function emptied(screen: Screen): Promise<void> {
  screen.key('ctrl-u');
  await screen.waitUntil('an empty line', (text) => text.split('\n').includes(prompt));
  screen.key('ctrl-l');
  await screen.waitUntil('an empty screen', (text) => text.trim() === prompt);
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** Tests must have the programs that they need. */
function assertInstalled(program: string): void {
  try {
    accessSync(`/usr/bin/${program}`, constants.X_OK);
  } catch {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args: string[]) =>
      execFileSync('apt-get', ['--quiet', '--yes', ...args], { env, stdio: 'ignore' });
    apt('update');
    apt('install', '--no-install-recommends', program);
  }
}
