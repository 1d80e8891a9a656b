// Control sequences that reach the user's terminal: clipboard, notifications, links, title, 24-bit colour.
import assert from 'node:assert/strict';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { shellArgs } from './session.ts';

const timeout = 180_000;
const prompt = /code@\S+\$ *$/m;
const esc = '\u001b';

/** Output of programs inside. tmux passes on a notification only in its own wrapper, as agents know. */
const written = String.raw`printf '\e]52;c;Y29waWVk\a'; printf '\ePtmux;\e\e]777;notify;coi;noticed\a\e\\'; printf '\e]8;;https://example.org/linked\e\\shown\e]8;;\e\\\n'; printf '\e[38;2;1;22;33mcoloured\e[0m %s\n' "$COLORTERM"`;

/** The part that reaches the user's terminal. */
const arrivals = {
  clipboard: /\u001b\]52;[a-z]*;Y29waWVk/,
  notifications: /\u001b\]777;notify;coi;noticed/,
  links: /\u001b\]8;[^;]*;https:\/\/example\.org\/linked/,
  title: /\u001b\][02];titled \d/,
} as const;

const kinds = Object.keys(arrivals) as (keyof typeof arrivals)[];

async function configured(bed: Bed, off: readonly string[]): Promise<void> {
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory, { recursive: true });
  const lines = off.map((key) => `${key} = false\n`).join('');
  await writeFile(join(directory, 'config.toml'), `[shell]\n${lines}`);
  await chown(directory, bed.user.uid, bed.user.gid);
}

let mark = 0;

async function arrived(
  bed: Bed,
  args: readonly string[],
  expected: readonly (keyof typeof arrivals)[] = [],
): Promise<string> {
  const screen = bed.screen(args, { env: { TERM: 'xterm-256color', COLORTERM: 'truecolor' } });
  await screen.waitFor(prompt);
  const from = screen.output().length;
  // The previous screen is shown again after attaching, so each end has its own name.
  mark += 1;
  screen.type(`${written}; printf '\\e]2;titled ${mark}\\a'; echo END''${mark}\r`);
  await screen.waitFor(new RegExp(`^END${mark}$`, 'm'));
  const since = () => screen.output().slice(from);
  // tmux shows the title with its next status line.
  await screen.waitUntil('what is passed on', () =>
    expected.every((kind) => arrivals[kind].test(since())),
  );
  screen.type(`echo LAST''${mark}\r`);
  await screen.waitFor(new RegExp(`^LAST${mark}$`, 'm'));
  const output = since();
  await screen.close();
  return output;
}

test('clipboard, notifications, links, title and 24-bit colour of a session reach the terminal', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const output = await arrived(bed, [...shellArgs(bed), '--debug'], kinds);
  assert.match(output, /38[;:]2[;:]+1[;:]22[;:]33m.*truecolor/s);
  await arrived(bed, ['attach'], kinds);
});

test('sequences that [shell] disables do not reach the terminal: new, attached or without tmux', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await configured(bed, kinds);
  const shell = [...shellArgs(bed), '--debug'];
  const outputs = [await arrived(bed, shell), await arrived(bed, ['attach'])];
  outputs.push(await arrived(bed, [...shell, '--no-tmux', '--slot', '2']));
  for (const output of outputs) {
    for (const [kind, seen] of Object.entries(arrivals)) assert.doesNotMatch(output, seen, kind);
    assert.ok(output.includes('shown') && output.includes(`${esc}[`), 'text and colours');
  }
  await configured(bed, ['clipboard']);
  const others = kinds.filter((kind) => kind !== 'clipboard');
  const some = await arrived(bed, ['attach', '--slot', '1'], others);
  assert.doesNotMatch(some, arrivals.clipboard);
});
