// `npm run picture`: draws docs/session.svg, a shell in which `coi` is typed, with a real Incus and a real agent; only
// the model provider is fake. Needs root and the image coi-default.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { image, key, makeAgentBed } from '../test/agents/agent-bed.ts';
import { coiPath } from '../test/bed/program.ts';
import { root } from './run.ts';
import { drawSvg, renderScreen } from './screen-svg.ts';

const columns = 96;
const rows = 22;
const screenMs = 60_000;
const settleMs = 4_000;
const prompt = '~/shop $ ';

await using agent = await makeAgentBed({
  tool: 'claude',
  ready: /bypass permissions on/,
  // What the bed writes, plus the provider, so that only `coi` has to be typed.
  files: ({ url, address }) => ({
    '.coi/config.toml': `[container]
image = "${image}"
[network]
mode = "allowlist"
allowed_domains = ["${address}:${new URL(url).port}"]
[defaults.environment]
ANTHROPIC_BASE_URL = "${url}"
ANTHROPIC_API_KEY = "${key}"
CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC = "1"
`,
  }),
});
const { user } = agent.bed;
const cwd = join(user.home, 'shop');
mkdirSync(cwd);
chownSync(cwd, user.uid, user.gid);
const env = {
  PATH: `${dirname(coiPath())}:${user.env['PATH']}`,
  PS1: prompt,
  COI_CONTAINER_PREFIX: 'coi-',
  TERM: 'xterm-256color',
};
const screen = agent.bed.command(['bash', '--norc', '--noprofile'], { cwd, env, columns, rows });
try {
  await screen.waitFor(prompt.trimEnd(), screenMs);
  screen.type('coi\r');
  await screen.waitFor(/bypass permissions on/, screenMs);
  screen.type('The tests in cart.test.ts fail. Find out why, and fix it.');
  await screen.waitFor('fix it.', screenMs);
  // Ctrl-l makes the agent redraw its screen, without transient output.
  await setTimeout(settleMs);
  screen.type('\u000c');
  await setTimeout(settleMs);
  const inside = await renderScreen(screen.output(), columns, rows);
  screen.key('ctrl-b d');
  await screen.waitUntil('the prompt', (text) => text.endsWith(prompt.trimEnd()), screenMs);
  screen.type('coi shell --background\r');
  await screen.waitUntil(
    'the second one',
    (text) => text.endsWith(prompt.trimEnd()) && text.includes('Started in the background'),
    screenMs,
  );
  screen.type('coi list\r');
  await screen.waitFor('WORKSPACE', screenMs);
  await setTimeout(settleMs);
  const outside = await renderScreen(screen.output(), columns, rows);
  const picture = drawSvg(
    [
      { title: '~/shop $ coi', rows: inside },
      { title: 'Ctrl-b d: the agent keeps running, next to a second one', rows: outside },
    ],
    columns,
  );
  writeFileSync(join(root, 'docs/session.svg'), picture);
} finally {
  await agent.bed.coi(['kill', '--all', '--force'], { cwd, env });
}
