// How a command is started in a container that is there.
import { agentUser } from '../../guest-user.ts';
import { runnerIn } from '../../host/install/resources.ts';
import type { ExecRequest } from '../../incus/client.ts';
import { guestTerm, plainEnvironment } from '../../session/plan/environment.ts';
import { guardsGit, toolVariables } from '../../session/plan/tool-setup.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/** What runs a command there that is handed over, at a directory or in the workspace, as that user. */
export function starter(
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
    command: runnerIn(cwd ?? workspace ?? '/'),
    environment: {
      ...plainEnvironment(home, name, guestTerm(app.env['TERM'])),
      ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    },
    cwd: '/',
  };
}
