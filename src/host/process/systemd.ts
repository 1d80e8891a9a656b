// Says to systemd how far a service is. Source: sd_notify(3); Node has no datagram sockets of the unix kind, systemd-notify has.
import { runProgram } from './program.ts';

/** Does nothing where systemd did not start this process. */
export function notifySystemd(
  env: Readonly<Record<string, string | undefined>>,
  state: 'ready',
): void {
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return;
  // A failure shows as a service that never becomes ready, which systemd reports.
  void runProgram(['systemd-notify', `--${state}`], { env: { NOTIFY_SOCKET: socket } });
}
