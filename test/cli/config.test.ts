// Configuration commands through the built program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const coi = (...args: string[]) => coiWithInput('', ...args);

/** Runs with the given standard input, which is not a terminal. */
function coiWithInput(input: string, ...args: string[]) {
  const { home, workspace } = fixture;
  const env = { PATH: process.env['PATH'], HOME: home, PWD: workspace };
  const { status, stdout, stderr } = spawnSync(coiPath(), args, {
    cwd: workspace,
    env,
    encoding: 'utf8',
    timeout: 60_000,
    input,
  });
  return { status, stdout, stderr };
}

const loosening = '[network]\nmode = "open"\n[container]\nimage = "web"\n';

test('config show prints each value with its origin, one key or one section', () => {
  const path = fixture.user('[container]\nimage = "mine"\n');
  const all = coi('config', 'show');
  assert.equal(all.status, 0, all.stderr);
  assert.match(all.stdout, new RegExp(`^container\\.image = "mine" +# ${path}:2$`, 'm'));
  assert.match(all.stdout, /^network\.mode = "restricted" +# default$/m);
  assert.equal(coi('config', 'show', 'container.image').stdout.trim().split('\n').length, 1);
  assert.deepEqual(JSON.parse(coi('config', 'show', 'container.image', '--json').stdout), {
    'container.image': { value: 'mine', origin: [`${path}:2`] },
  });
  assert.equal(coi('config', 'show', '--changed').stdout.trim().split('\n').length, 1);
  assert.equal(coi('config', 'show', 'nothing').status, 2);
});

test('config show prints values of variables only if requested', () => {
  fixture.user(
    '[defaults.environment]\nNODE_ENV = "test"\nANTHROPIC_API_KEY = "sk-ant-1"\n[tools.mine]\ncommand = ["mine"]\nenvironment = { TOKEN = "sk-ant-2" }\n',
  );
  for (const args of [['--changed'], ['--json'], ['defaults.environment']]) {
    const { stdout } = coi('config', 'show', ...args);
    assert.match(stdout, /"ANTHROPIC_API_KEY": ?"\(hidden\)"/, args.join());
    assert.match(stdout, /"NODE_ENV": ?"test"/);
    assert.doesNotMatch(stdout, /sk-ant/);
  }
  const { stdout } = coi('config', 'show', '--changed', '--show-secrets');
  assert.match(stdout, /"ANTHROPIC_API_KEY":"sk-ant-1"/);
  assert.match(stdout, /"TOKEN":"sk-ant-2"/);
});

test('config show accepts workspace and profile before and after its name', () => {
  fixture.profile('p', '[container]\nimage = "profiled"\n');
  for (const args of [
    ['config', 'show', 'container.image', '--profile', 'p'],
    ['config', '--profile', 'p', 'show', 'container.image'],
  ]) {
    assert.match(coi(...args).stdout, /profiled/, args.join(' '));
  }
});

test('config schema is JSON with every section', () => {
  const { properties } = JSON.parse(coi('config', 'schema').stdout);
  for (const section of [
    'container',
    'defaults',
    'network',
    'tool',
    'tools',
    'mounts',
    'limits',
    'security',
  ])
    assert.ok(properties[section], section);
});

test('an unknown key ends a command with its location, name and a suggestion', () => {
  const path = fixture.user('[container]\npersistant = true\n');
  const { status, stdout, stderr } = coi('config', 'show');
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    new RegExp(
      `^Error: ${path}:2: container\\.persistant is not a known key\nHint: Did you mean container\\.persistent\\?$`,
      'm',
    ),
  );
});

test('trust shows and applies pending values, and untrust revokes them', () => {
  const path = fixture.project(loosening);
  const before = coi('config', 'show', 'network.mode');
  assert.match(before.stdout, /"restricted"/);
  assert.match(
    before.stderr,
    new RegExp(`^Warning: ${path}:2: network\\.mode = "open" .*coi trust`, 'm'),
  );
  const trusted = coi('trust', '--yes');
  assert.equal(trusted.status, 0, trusted.stderr);
  assert.match(trusted.stdout, new RegExp(`${path}:2: network\\.mode = "open"`));
  assert.match(coi('config', 'show', 'network.mode').stdout, /"open"/);
  assert.equal(statSync(join(fixture.home, '.coi/trust.toml')).mode & 0o777, 0o600);
  assert.match(coi('trust', '--list').stdout, new RegExp(path));
  assert.match(coi('trust').stdout, /Nothing to approve/);
  assert.equal(coi('untrust').status, 0);
  assert.match(coi('config', 'show', 'network.mode').stdout, /"restricted"/);
  const again = coi('untrust');
  assert.equal(again.status, 0);
  assert.match(again.stderr, /^Nothing of .* is approved/);
});

test('without a terminal nothing is approved, whatever stdin has, unless --yes is given', () => {
  const path = fixture.project(loosening);
  for (const input of ['', 'n\n', 'y\n']) {
    const { status, stdout, stderr } = coiWithInput(input, 'trust');
    assert.equal(status, 1, input);
    assert.match(stdout, new RegExp(`${path}:2: network\\.mode = "open"`));
    assert.match(stderr, /^Error: nothing was approved: .*\nHint: .*coi trust --yes/);
    assert.equal(coiWithInput(input, 'trust', '--json').status, 1);
  }
  assert.equal(coi('trust', '--list').stdout, 'No approved files.\n');
  assert.equal(coi('trust', '--force').status, 0);
});

test('read-only commands write nothing', () => {
  fixture.project(loosening);
  coi('config', 'show');
  coi('profile', 'list');
  coi('trust', '--list');
  coi('info');
  assert.equal(existsSync(join(fixture.home, '.coi')), false);
});

test('profile list and info show the profiles and their resolved values', () => {
  const path = fixture.profile(
    'web',
    'inherits = "hardened"\nenvironment = { A = "1", CI = "1" }\n[container]\nimage = "web"\npersistent = true\n',
  );
  const [row] = JSON.parse(coi('profile', 'list', '--json').stdout).filter(
    ({ name }: { name: string }) => name === 'web',
  );
  assert.deepEqual(row, {
    name: 'web',
    image: 'web',
    persistent: true,
    inherits: 'hardened',
    source: path,
  });
  assert.match(coi('profile', 'list').stdout, /^NAME +IMAGE +PERSISTENT +INHERITS +SOURCE\n/);
  const info = coi('profile', 'info', 'web').stdout;
  for (const line of ['image = "web"', 'docker = false', 'A = "(hidden)"', 'CI = "1"'])
    assert.ok(info.includes(line), line);
  assert.match(coi('profile', 'show', 'web').stdout, /image = "web"/);
  assert.match(coi('profile', 'info', 'web', '--show-secrets').stdout, /A = "1"/);
  const missing = coi('profile', 'info', 'wbe');
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /profile 'wbe' not found\nHint: Available profiles: .*web/);
});

test("info shows the workspace's newest session, or one by its id", () => {
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  const dir = join(fixture.home, '.coi/sessions-claude', id);
  assert.match(coi('info').stderr, /no sessions found/);
  fixture.write(
    join(dir, 'metadata.json'),
    JSON.stringify({
      session_id: id,
      container_name: 'coi-0123abcd-1',
      workspace: fixture.workspace,
      saved_at: '2026-01-02T03:04:05Z',
    }),
  );
  fixture.write(join(dir, '.claude/history'), 'x'.repeat(1536));
  for (const args of [['info'], ['info', id]]) {
    const { stdout } = coi(...args);
    assert.match(stdout, /✓ Present \(\.claude directory\)/);
    assert.match(stdout, /^Data Size: +1\.5 KB$/m);
    assert.match(stdout, new RegExp(`^Resume: +coi shell --resume=${id}$`, 'm'));
  }
  assert.equal(JSON.parse(coi('info', '--json').stdout).session_id, id);
  assert.equal(coi('info', id.replace('0b', 'ff')).status, 1);
  const elsewhere = coi('info', '../../etc');
  assert.equal(elsewhere.status, 1);
  assert.match(elsewhere.stderr, /session not found: \.\.\/\.\.\/etc/);
});

test('a damaged trust store is left alone', () => {
  fixture.project(loosening);
  const path = fixture.write(join(fixture.home, '.coi/trust.toml'), 'approvals = [');
  assert.equal(coi('trust').status, 1);
  assert.equal(readFileSync(path, 'utf8'), 'approvals = [');
});
