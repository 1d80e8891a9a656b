// What a session does, from Incus's answer and files on the host. It asks neither coid nor the container.
import type { Activity } from '../../attention/activity.ts';
import { activityOf } from '../../attention/reduce.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { keys } from '../../instance-keys.ts';
import { alertNow, parseAlert } from '../../monitor/alert.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { allTools } from '../../tools/list.ts';
import type { AppContext } from '../context.ts';
import { type AgentsReading, readAgents } from './read-agents.ts';

/** An agent needs a few seconds until it registers itself, on a busy host more. */
const youngMs = 30_000;

export function containerActivity(app: AppContext, container: Container): Activity {
  const { instance, status, session, name } = container;
  const alert = alertNow(parseAlert(instance.config[keys.alert]), status);
  // Built-in agents only: coi does not know what custom ones write.
  const tool = allTools({ tools: {} }).find((known) => known.name === session?.tool);
  const isReadable = session !== undefined && tool?.registry !== undefined && status === 'Running';
  const reading: AgentsReading =
    isReadable && session.owner === app.user.uid
      ? readAgents({ home: app.user.home, tool, session: session.session, container: name }, hostFiles)
      : { agents: isReadable ? 'unreadable' : [], isAgentRunning: false };
  return activityOf({
    instance: status,
    pausedBecause: alert?.action === 'paused' ? alert.title : undefined,
    hasRegistry: tool?.registry !== undefined,
    isYoung: app.clock.now().getTime() - Date.parse(instance.last_used_at) < youngMs,
    ...reading,
  });
}
