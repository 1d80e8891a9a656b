// Everything a session test needs: user, workspace, coid and prefix, with one call that removes it all.
import type { Incus } from '../../src/incus/client.ts';
import { startCoid, type TestCoid } from './coid.ts';
import type { CommandOptions, CommandResult, RunningCommand } from './command.ts';
import { openRealIncus } from './incus.ts';
import { newPrefix } from './prefix.ts';
import { coiPath } from './program.ts';
import { type Screen, type ScreenOptions, startScreen } from './screen.ts';
import { sweepInstances } from './sweep.ts';
import { type WatchedModes, watchModes } from './terminal-modes.ts';
import { makeUser, rootUser, type TestUser, userOfUid } from './users.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** No test contacts a real login provider. */
const noProvider = { COI_TEST_LOGIN_URL: 'http://127.0.0.1:9' };

/** The user who runs coi; `ordinary` is any account in incus-admin. */
export type Who = 'ordinary' | 'uid-1000' | 'root';

export interface BedOptions {
  readonly who?: Who;
  readonly git?: boolean;
  /** Additional environment of every coi in the bed. */
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
  /** The environment of every coi in the bed, including prefix, coid and the stub agent. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs coi in the workspace to its end. */
  coi(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  startCoi(args: readonly string[], options?: CommandOptions): RunningCommand;
  /** Starts coi on a terminal, in the workspace. */
  screen(args: readonly string[], options?: Partial<ScreenOptions>): Screen;
  /** Like screen(), below a shell that records the terminal's modes before and after; send signals to `modes.pid()`. */
  watchedScreen(args: readonly string[], options?: Partial<ScreenOptions>): Promise<WatchedScreen>;
  /** Runs any command of the user on a terminal with the same environment. */
  command(argv: readonly string[], options?: Partial<ScreenOptions>): Screen;
  /** Sorted names of the bed's instances. */
  instances(): Promise<string[]>;
}

export interface WatchedScreen {
  readonly screen: Screen;
  readonly modes: WatchedModes;
}

/** The test image, which contains the stub agent `dummy`. */
export const testImage = process.env['COI_TEST_IMAGE'] ?? 'coi-test';

/** Makes a bed; `await using` removes it with all its instances and screens. */
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
  // Before anything else, so that coid does not finish or change instances during the sweep.
  undo.defer(() => coid.stop());
  const env = {
    ...coid.env,
    COI_CONTAINER_PREFIX: prefix,
    COI_USE_DUMMY: '1',
    ...noProvider,
    ...options.env,
  };
  const resources = undo.move();
  const command = (argv: readonly string[], more: Partial<ScreenOptions> = {}) => {
    const screenOptions = {
      cwd: workspace.path,
      ...more,
      env: { ...user.env, ...env, ...more.env },
    };
    return resources.adopt(startScreen(user.argv(argv), screenOptions), (screen) => screen.close());
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
      const modes = resources.adopt(await watchModes([coiPath(), ...args], user), (made) =>
        made.remove(),
      );
      return { modes, screen: command(modes.argv, more) };
    },
    instances: async () =>
      (await incus.instanceNames()).filter((name) => name.startsWith(prefix)).sort(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
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
