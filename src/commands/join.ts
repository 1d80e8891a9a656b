// coi shell --container NAME: the tool in a container that runs already. Nothing on the host is written for it.
import type { App } from '../app.ts';
import type { ContainerName, SessionId } from '../names.ts';
import { portsKey, portVariables, recordedPorts } from '../session/ports.ts';
import type { Container } from '../session/record.ts';
import type { Live } from './bring-up.ts';
import type { ShellOptions } from './meant.ts';
import { agentOf, type Ready } from './session-agent.ts';
import { agentEnvironment } from './variables.ts';

export interface Joining {
  readonly container: Container;
  /** Its conversation goes on if no terminal is left in it; otherwise a new one begins. */
  readonly resumed: boolean;
}

export function joined(app: App, options: ShellOptions, meant: Ready, joining: Joining): Live {
  const { container, resumed } = joining;
  const { name, session } = container;
  const ports = portVariables(recordedPorts(container.instance.config[portsKey]));
  const given = agentEnvironment(app, options, meant.resolved, meant.at.workspace);
  const agent = agentOf(app, options, meant, {
    session: (session?.session ?? '') as SessionId,
    resumed: session !== undefined && resumed,
    isNew: false,
    given,
  });
  const keptIn = session?.tool === agent.tool.name ? session : undefined;
  if (!keptIn)
    app.io.warn(
      `${name} was not made for ${agent.tool.title}: what is said there is kept in the container only`,
    );
  return {
    container: name as ContainerName,
    reservation: session?.mounts.id,
    session: session?.session,
    slot: session?.slot,
    workspace: meant.at.workspace,
    target: meant.at.target,
    store: keptIn && { dir: agent.storeDir, session: keptIn.session, tool: keptIn.tool },
    command: agent.command,
    again: agent.again,
    needs: agent.needs,
    takeBack: undefined,
    conversation: agent.conversation,
    environment: { ...given, ...ports, ...agent.environment },
  };
}
