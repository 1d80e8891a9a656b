// All that a test of sessions stands on: a user, a workspace, a coid, a prefix; and one call that takes it all away.
import type { Incus } from '../../src/incus/client.ts';
import { startCoid, type TestCoid } from './coid.ts';
import type { CommandOptions, CommandResult, RunningCommand } from './command.ts';
import { openRealIncus } from './incus.ts';
import { type WatchedModes, watchModes } from './modes.ts';
import { newPrefix } from './prefix.ts';
import { coiPath } from './program.ts';
import { type Screen, type ScreenOptions, startScreen } from './screen.ts';
import { sweepInstances } from './sweep.ts';
import { makeUser, rootUser, type TestUser, userOfUid } from './users.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** No test asks a provider whose a login is, unless it has one of its own. */
const noProvider = { COI_TEST_LOGIN_URL: 'http://127.0.0.1:9' };

/** Who uses coi in a test: `ordinary` is any account of incus-admin. */
export type Who = 'ordinary' | 'uid-1000' | 'root';

export interface BedOptions {
  readonly who?: Who;
  readonly git?: boolean;
  /** What every coi of the bed has in its environment besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** For the coid: COI_LEASE_MS and the like. */
  readonly coidEnv?: Readonly<Record<string, string>>;
}

export interface Bed extends AsyncDisposable {
  readonly incus: Incus;
  readonly coid: TestCoid;
  readonly user: TestUser;
  readonly workspace: Workspace;
  readonly prefix: string;
  readonly image: string;
  /** The environment of every coi here: prefix, coid and the stub agent included. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs coi in the workspace to its end. */
  coi(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  startCoi(args: readonly string[], options?: CommandOptions): RunningCommand;
  /** Starts coi on a terminal, in the workspace. */
  screen(args: readonly string[], options?: Partial<ScreenOptions>): Screen;
  /** The same below a shell that notes the terminal's modes before and after; signals go to `modes.pid()`. */
  watchedScreen(args: readonly string[], options?: Partial<ScreenOptions>): Promise<WatchedScreen>;
  /** Any command of the user on a terminal, with the same environment. */
  command(argv: readonly string[], options?: Partial<ScreenOptions>): Screen;
  /** Names of the bed's instances, in order. */
  instances(): Promise<string[]>;
}

export interface WatchedScreen {
  readonly screen: Screen;
  readonly modes: WatchedModes;
}

/** The image of the tests, with the stub agent `dummy` in it. */
export const testImage = process.env['COI_TEST_IMAGE'] ?? 'coi-test';

/** Makes a bed; `await using` takes it away again, with every instance and screen that was made on it. */
export async function makeBed(options: BedOptions = {}): Promise<Bed> {
  await using undo = new AsyncDisposableStack();
  const incus = undo.adopt(await openRealIncus(), (client) => client.close());
  const user = undo.adopt(await userOf(options.who ?? 'ordinary'), (account) => account.remove());
  const workspace = undo.adopt(await makeWorkspace(user, { git: options.git ?? false }), (made) =>
    made.remove(),
  );
  const coid = undo.adopt(await startCoid(options.coidEnv), (daemon) => daemon.remove());
  const prefix = newPrefix();
  undo.defer(async () => void (await sweepInstances(incus, prefix)));
  // First of all, so that it does not finish or change what is being swept.
  undo.defer(() => coid.stop());
  const env = {
    ...coid.env,
    COI_CONTAINER_PREFIX: prefix,
    COI_USE_DUMMY: '1',
    ...noProvider,
    ...options.env,
  };
  const kept = undo.move();
  const command = (argv: readonly string[], more: Partial<ScreenOptions> = {}) => {
    const place = { cwd: workspace.path, ...more, env: { ...user.env, ...env, ...more.env } };
    return kept.adopt(startScreen(user.argv(argv), place), (screen) => screen.close());
  };
  const startCoi: Bed['startCoi'] = (args, more = {}) =>
    user.start([coiPath(), ...args], {
      cwd: workspace.path,
      ...more,
      env: { ...env, ...more.env },
    });
  return {
    incus,
    coid,
    user,
    workspace,
    prefix,
    image: testImage,
    env,
    command,
    startCoi,
    coi: (args, more) => startCoi(args, more).result,
    screen: (args, more) => command([coiPath(), ...args], more),
    watchedScreen: async (args, more) => {
      const modes = kept.adopt(await watchModes([coiPath(), ...args], user), (made) =>
        made.remove(),
      );
      return { modes, screen: command(modes.argv, more) };
    },
    instances: async () =>
      (await incus.instanceNames()).filter((name) => name.startsWith(prefix)).sort(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function userOf(who: Who): Promise<TestUser> {
  switch (who) {
    case 'ordinary':
      return makeUser();
    case 'uid-1000':
      return userOfUid(1000);
    case 'root':
      return rootUser();
  }
}
