// What the removal of setup may touch.
import { basename, dirname } from 'node:path';
import { startDetached, stopDaemon } from '../../daemon/control.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { RemoveGround } from '../../setup/remove/facts.ts';
import type { AppContext } from '../context.ts';
import { freeing } from '../end-sessions/free-stuck.ts';
import { groundOf } from '../health/check-context.ts';

/** What is given up is added to `given`. */
export function removeGround(app: AppContext, given: string[]): RemoveGround {
  const stopCoid = () => stopDaemon(app.env, app.signal);
  return {
    ...groundOf(app),
    prefix: app.prefix,
    stopCoid,
    restartCoid: async () => {
      await stopCoid();
      await startDetached(app.env);
    },
    givenUp: (lines) => {
      for (const line of lines) app.report.warn(`left unfinished: ${line}`);
      given.push(...lines.map((line) => `unfinished work in ${line}`));
    },
    endContainer: async ({ instance }) => {
      await killContainer(await app.incus(), refOf(instance), app.signal, freeing(app));
    },
    removeData,
  };
}

/** This is root in the home of somebody else: no link that they made is followed. */
async function removeData(home: string, relative: string): Promise<void> {
  using top = hostFiles.open(home);
  const above = dirname(relative);
  using parent = above === '.' ? undefined : top?.directory(above);
  const holder = above === '.' ? top : parent;
  if (holder) await removeTree(holder, basename(relative), { shred: true });
}
