// Creates the context of the use cases for this process; clients are loaded and created on first use.
import { userInfo } from 'node:os';
import type { Coid } from '../coid-api/client.ts';
import type { Incus } from '../incus/client.ts';
import { defaultPrefix, parsePrefix } from '../names.ts';
import { version } from '../version.ts';
import type { AppContext, User } from './context.ts';

/** The parts that the caller provides. */
export interface ContextParts
  extends Pick<
    AppContext,
    'env' | 'cwd' | 'signal' | 'report' | 'progress' | 'byteProgress' | 'mark' | 'embedded'
  > {
  /** Called when the context is closed. */
  readonly onClose?: () => void;
}

export interface ClosableContext extends AppContext {
  /** Closes the connections, so that the program can exit. */
  close(): Promise<void>;
}

/** `cwd` and `signal` may be getters: they are evaluated on use. */
export function makeContext(parts: ContextParts): ClosableContext {
  const { env, report } = parts;
  let incus: Promise<Incus> | undefined;
  let coid: Promise<Coid> | undefined;
  return {
    env,
    report,
    get cwd() {
      return parts.cwd;
    },
    get signal() {
      return parts.signal;
    },
    get user() {
      return currentUser(env);
    },
    get prefix() {
      return env['COI_CONTAINER_PREFIX'] === undefined
        ? defaultPrefix
        : parsePrefix(env['COI_CONTAINER_PREFIX']);
    },
    version,
    progress: parts.progress,
    byteProgress: parts.byteProgress,
    mark: parts.mark,
    embedded: parts.embedded,
    clock: { now: () => new Date(), elapsedMs: () => performance.now() },
    incus: () => {
      incus ??= import('../incus/open.ts').then(({ openIncus, incusSocketPath }) =>
        openIncus({ socketPath: incusSocketPath(env) }),
      );
      return incus;
    },
    coid: () => {
      coid ??= import('../coid-api/client.ts').then(({ openCoid, coidSocketPath }) =>
        openCoid({ socketPath: coidSocketPath(env), onWait: report.info }),
      );
      return coid;
    },
    close: async () => {
      parts.onClose?.();
      (await incus)?.close();
    },
  };
}

function currentUser(env: Readonly<Record<string, string | undefined>>): User {
  const { uid, gid, homedir, username } = userInfo();
  const home = env['HOME']?.startsWith('/') ? env['HOME'] : homedir;
  return { uid, gid, home, name: username };
}
