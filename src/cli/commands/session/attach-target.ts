// Selects the session of `coi attach`.
import type { SessionTarget } from '../../../app/requests.ts';
import { selectRunning } from '../../../app/targets/running-session.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { aliasOf } from '../../../session/record/instance-record.ts';
import type { App } from '../../app.ts';

/** The selected container; undefined if there is none to attach to, after reporting that. */
export async function selectTarget(
  app: App,
  session: SessionTarget,
  name: string | undefined,
): Promise<Container | undefined> {
  const { found, live } = await selectRunning(app, session, name);
  if (found) {
    if (name === undefined)
      app.io.print(
        `Attaching to ${found.name}${session.slot === undefined ? '' : ` (slot ${found.session?.slot ?? session.slot})`}...`,
      );
    return found;
  }
  app.io.print(
    live.length === 0
      ? 'No active sessions'
      : [
          'Active sessions:',
          ...live.map(
            (container, at) =>
              `  ${at + 1}. ${container.name}${aliasOf(container) ? ` (${aliasOf(container)})` : ''}`,
          ),
          '',
          'Use: coi attach <container-name>',
        ].join('\n'),
  );
  return undefined;
}
