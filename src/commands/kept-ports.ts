// Forwarded ports of a container that starts again: what took one of them meanwhile must not keep it from starting.
import type { App } from '../app.ts';
import { isPortFree } from '../host/free-port.ts';
import type { Instance } from '../incus/shapes.ts';
import { type Forwarding, portsKey, portTexts, recordedPorts } from '../session/ports.ts';

/** Tells of each that is lost. */
export async function keptPorts(
  app: App,
  { name, config }: Instance,
): Promise<{ readonly left: readonly Forwarding[]; readonly lost: readonly Forwarding[] }> {
  const [left, lost]: [Forwarding[], Forwarding[]] = [[], []];
  for (const port of recordedPorts(config[portsKey]))
    ((await isPortFree(port.listen, port.host)) ? left : lost).push(port);
  for (const port of lost)
    app.io.warn(
      `port ${port.host} of this host is in use, so ${portTexts([port]).join('')} does not lead into ${name} any more`,
    );
  return { left, lost };
}
