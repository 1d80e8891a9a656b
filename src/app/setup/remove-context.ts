// Creates the context of `coi setup --remove`.
import { basename, dirname } from 'node:path';
import { startDetached, stopDaemon } from '../../daemon/control.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { RemoveContext } from '../../setup/remove/facts.ts';
import type { AppContext } from '../context.ts';
import { freeWithCoid } from '../end-sessions/free-stuck.ts';
import { checkContext } from '../health/check-context.ts';

/** Adds unfinished work that coid gave up to `given`. */
export function removeContext(app: AppContext, given: string[]): RemoveContext {
  const stopCoid = () => stopDaemon(app.env, app.signal);
  return {
    ...checkContext(app),
    prefix: app.prefix,
    stopCoid,
    restartCoid: async () => {
      await stopCoid();
      await startDetached(app.env);
    },
    reportAbandoned: (lines) => {
      for (const line of lines) app.report.warn(`left unfinished: ${line}`);
      given.push(...lines.map((line) => `unfinished work in ${line}`));
    },
    endContainer: async ({ instance }) => {
      await killContainer(await app.incus(), refOf(instance), app.signal, freeWithCoid(app));
    },
    removeData,
  };
}

/** Runs as root in another user's home: links are not followed. */
async function removeData(home: string, relative: string): Promise<void> {
  using top = hostFiles.open(home);
  const above = dirname(relative);
  using parent = above === '.' ? undefined : top?.openDirectory(above);
  const holder = above === '.' ? top : parent;
  if (holder) await removeTree(holder, basename(relative), { shred: true });
}
