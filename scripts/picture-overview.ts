// `npm run picture:overview`: draws docs/overview.svg, `coi ui` with four sessions of a real agent in a real Incus; only the
// model provider is fake. Needs root and the image coi-default.
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { askingClaude, makeAgentBed } from '../test/agents/agent-bed.ts';
import { waitFor } from '../test/agents/attention-bed.ts';
import { coiPath } from '../test/bed/program.ts';
import { root } from './run.ts';
import { drawSvg, renderScreen } from './screen-svg.ts';

const columns = 96;
const rows = 30;

await using agent = await makeAgentBed(askingClaude);
const { bed } = agent;
const { user } = bed;

/** A session in a directory of that name, which is its alias too. */
async function start(name: string): Promise<string> {
  const cwd = join(user.home, name);
  mkdirSync(join(cwd, '.coi'), { recursive: true });
  writeFileSync(join(cwd, '.coi/config.toml'), `[container]\nalias = "${name}"\n`);
  for (const path of [cwd, join(cwd, '.coi'), join(cwd, '.coi/config.toml')])
    chownSync(path, user.uid, user.gid);
  const container = await agent.start(['--workspace', cwd]);
  await waitFor(bed, container, 'idle');
  return container;
}

async function send(name: string, words: string): Promise<void> {
  await bed.coi(['send', name, words]);
}

await send(await start('shop'), 'please run git push --force origin main');
await send(await start('blog'), 'please ask me');
await send(await start('docs'), 'the tests pass again');
await send(await start('api'), 'please take 60000 ms');
const env = { PATH: `${dirname(coiPath())}:${user.env['PATH']}`, TERM: 'xterm-256color' };
const screen = bed.command(['coi', 'ui'], { cwd: user.home, env, columns, rows });
await screen.waitFor(/2 asking · 1 finished · 1 working/);
await screen.waitFor('1-9 y n answer');
await screen.waitFor('Do you want to proceed?');
const picture = drawSvg(
  [{ title: '~ $ coi ui', rows: await renderScreen(screen.output(), columns, rows) }],
  columns,
);
writeFileSync(join(root, 'docs/overview.svg'), picture);
screen.key('q');
