// --env values reach only the agent: watched from outside during a whole session.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { type Sighting, watchHost } from '../bed/hostwatch.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, startScreen } from '../bed/screen.ts';
import { makeUser } from '../bed/users.ts';
import { shellArgs } from './session.ts';

const timeout = 180_000;
const prompt = /code@\S+\$ *$/m;

interface Watched extends AsyncDisposable {
  readonly bed: Bed;
  readonly secret: string;
  /** Watches from here on, as an unprivileged account. */
  watch(): Promise<() => Promise<Sighting[]>>;
}

async function watchedBed(): Promise<Watched> {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeBed());
  const outsider = undo.adopt(await makeUser({ incusAdmin: false }), (user) => user.remove());
  const secret = randomBytes(12).toString('hex');
  const resources = undo.move();
  return {
    bed,
    secret,
    watch: async () => {
      const watching = await watchHost(bed.incus, outsider, [secret]);
      resources.adopt(watching, (one) => one.stop());
      return () => watching.sightings();
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Before coi runs, its command line is the one of the user's shell: the program of that process, or its starter. */
function isBefore(screen: Screen): (sighting: Sighting) => boolean {
  return ({ pid, where, text }) =>
    pid === screen.pid && where === 'cmdline' && / shell --image .* --env /.test(text);
}

test('a value given with --env is in the agent and nowhere on the host, from start to end', {
  timeout,
}, async () => {
  await using watched = await watchedBed();
  const { bed, secret } = watched;
  const always = await watched.watch();
  const screen = bed.screen([...shellArgs(bed), '--debug', '--env', `COI_TEST_SECRET=${secret}`]);
  await screen.waitFor(prompt);
  const open = await watched.watch();
  screen.type('echo "<$COI_TEST_SECRET>"\r');
  await screen.waitFor(`<${secret}>`);
  const another = bed.screen(['attach']);
  await another.waitFor(`<${secret}>`);
  assert.deepEqual(await open(), [], 'while the session is open');
  screen.type('sudo poweroff\r');
  await Promise.all([screen.ended(), another.ended()]);
  assert.deepEqual(await open(), [], 'while the session ends');
  const isOwnMoment = isBefore(screen);
  assert.deepEqual(
    (await always()).filter((sighting) => !isOwnMoment(sighting)),
    [],
  );
});

test('a login without the group keeps the value out of the process list too', {
  timeout,
}, async () => {
  await using watched = await watchedBed();
  await using undo = new AsyncDisposableStack();
  const { bed, secret } = watched;
  const { user, workspace } = bed;
  await mustRun(['gpasswd', '-a', user.name, 'incus-admin']);
  undo.defer(async () => void (await mustRun(['gpasswd', '-d', user.name, 'incus-admin'])));
  const always = await watched.watch();
  const login = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--'];
  const args = [...shellArgs(bed), '--debug', '--env', `COI_TEST_SECRET=${secret}`];
  const screen = startScreen([...login, coiPath(), ...args], {
    cwd: workspace.path,
    env: { ...user.env, ...bed.env },
  });
  undo.adopt(screen, (one) => one.close());
  await screen.waitFor(prompt);
  const open = await watched.watch();
  screen.type('echo "<$COI_TEST_SECRET>" "[$COI_WORDS]"\r');
  await screen.waitFor(`<${secret}> []`);
  assert.deepEqual(await open(), [], 'while the session is open');
  screen.type('sudo poweroff\r');
  await screen.ended();
  const isOwnMoment = isBefore(screen);
  assert.deepEqual(
    (await always()).filter((sighting) => !isOwnMoment(sighting)),
    [],
  );
});

test('--env NAME and --env-file pass a value that no command line ever contains', {
  timeout,
}, async () => {
  await using watched = await watchedBed();
  const { bed, secret } = watched;
  const file = join(bed.user.home, 'variables');
  writeFileSync(file, `# mine\nOF_FILE=${secret} x\nBOTH=file\n`);
  const always = await watched.watch();
  const script = 'echo "$OF_FILE|$OF_HOST|$BOTH|$NOWHERE"';
  const flags = ['--env-file', file, '--env', 'OF_HOST', '-e', 'BOTH=flag', '--env', 'NOWHERE'];
  const result = await bed.coi(['run', '--image', bed.image, ...flags, '--', 'sh', '-c', script], {
    env: { OF_HOST: `${secret} y` },
  });
  assert.equal(result.stdout, `${secret} x|${secret} y|flag|\n`, result.stderr);
  assert.match(result.stderr, /^Warning: --env: NOWHERE is not set on this host$/m);
  assert.deepEqual(await always(), []);
});
