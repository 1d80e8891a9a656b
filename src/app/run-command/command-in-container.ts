// Starts a command in an existing container.
import { agentUser } from '../../guest-user.ts';
import { runnerCommand } from '../../host/install/resources.ts';
import type { ExecRequest } from '../../incus/client.ts';
import { guestTerm, plainEnvironment } from '../../session/plan/environment.ts';
import { guardsGit, toolVariables } from '../../session/plan/tool-setup.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/** The exec request for a command that is handed over later, in `cwd` or the workspace, as that user. */
export function execRequest(
  app: AppContext,
  { session, instance }: Container,
  cwd: string | undefined,
  user: number,
): ExecRequest {
  const workspace = session?.target ?? instance.devices['workspace']?.['path'];
  const [home, name] =
    user === 0
      ? ['/root', 'root']
      : user === agentUser.uid
        ? [agentUser.home, agentUser.name]
        : ['/', String(user)];
  return {
    command: runnerCommand(cwd ?? workspace ?? '/'),
    environment: {
      ...plainEnvironment(home, name, guestTerm(app.env['TERM'])),
      ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    },
    cwd: '/',
  };
}
