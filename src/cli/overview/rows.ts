// The user's sessions as rows of the overview.
import { liveFacts } from '../../app/attention/live-facts.ts';
import { ownContainers } from '../../app/targets/user-containers.ts';
import { type ContainerRef, refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { App } from '../app.ts';
import { containerDetails } from '../commands/session/list-details.ts';
import type { Row } from './model.ts';

export interface Sessions {
  readonly rows: readonly Row[];
  /** Containers of the rows, by the id of the row. */
  readonly containers: ReadonlyMap<string, Container>;
}

/** Sessions with an agent. Throws if Incus does not answer. */
export async function readSessions(app: App): Promise<Sessions> {
  const [all, facts] = await Promise.all([ownContainers(app, {}), liveFacts(app)]);
  const containers = new Map<string, Container>();
  const rows: Row[] = [];
  for (const container of all) {
    const { session, name } = container;
    const { called, attached, activity, unseen } = containerDetails(app, container, all, facts);
    if (!session || !activity) continue;
    const id = idOf(refOf(container.instance));
    containers.set(id, container);
    rows.push({
      id,
      container: name,
      called: called ?? name,
      tool: session.tool,
      workspace: session.workspace,
      activity,
      unseen: unseen ?? false,
      attached: attached ?? false,
    });
  }
  return { rows, containers };
}

function idOf({ name, mountsId, uuid }: ContainerRef): string {
  return mountsId ?? uuid ?? name;
}
