// Shows a long text in the user's pager if stdout is a terminal, else prints its bytes.
import { once } from 'node:events';
import { userPager } from '../../app/trees/tree-patch.ts';
import type { OwnTree } from '../../app/trees/tree-store.ts';
import { startProgram } from '../../host/process/program.ts';
import { printable } from '../../printable.ts';
import type { App } from '../app.ts';
import { colouredDiff } from '../ui/views/changes.ts';

/** Quits if the text fits, passes colours, and keeps the text on the screen; as git sets it. */
const lessOptions = 'FRX';

/** `patch`: bytes as characters (latin1). */
export async function showInPager(
  app: App,
  patch: string,
  { usesPager, tree }: { readonly usesPager: boolean; readonly tree: OwnTree },
): Promise<void> {
  const { io, env } = app;
  const bytes = Buffer.from(patch, 'latin1');
  if (!io.stdout.isTTY) {
    if (!io.stdout.write(bytes)) await once(io.stdout, 'drain');
    return;
  }
  const text = colouredDiff(printable(bytes.toString()), io.stdoutStyle);
  const pager = usesPager && text !== '' ? await userPager(app, tree) : 'cat';
  if (pager === '' || pager === 'cat') {
    if (text !== '') io.print(text.trimEnd());
    return;
  }
  const child = startProgram(['sh', '-c', pager], {
    env: { LESS: lessOptions, ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  // The user may leave the pager before the end.
  child.stdin?.on('error', () => undefined).end(text);
  await new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
}
