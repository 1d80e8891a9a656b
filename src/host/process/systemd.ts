// Notifies systemd of a service's state. Source: sd_notify(3); Node has no unix datagram sockets, so it runs systemd-notify.
import { runProgram } from './program.ts';

/** Does nothing if systemd did not start this process. */
export function notifySystemd(
  env: Readonly<Record<string, string | undefined>>,
  state: 'ready',
): void {
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return;
  // After a failure systemd reports that the service never became ready.
  void runProgram(['systemd-notify', `--${state}`], { env: { NOTIFY_SOCKET: socket } });
}
