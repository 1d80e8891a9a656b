// A network namespace with one public-looking address: traffic to it crosses the host's forwarding like real traffic.
import { randomInt } from 'node:crypto';
import { mustRun, runCommand } from './command.ts';
import { newPrefix } from './prefix.ts';

export interface Enclave extends AsyncDisposable {
  readonly namespace: string;
  readonly address: string;
}

/** Sends nothing to the address until the host's route to it is known to end in the namespace. */
export async function openEnclave(): Promise<Enclave> {
  const namespace = `${newPrefix()}net`;
  const id = namespace.slice(5, 11);
  const [near, far] = [`cl${id}h`, `cl${id}n`];
  const { link, address } = await freeAddresses();
  const inside = (...argv: string[]) => mustRun(['ip', '-n', namespace, ...argv]);
  const close = async () => {
    // The route disappears with the link.
    await runCommand(['ip', 'link', 'delete', near]);
    await runCommand(['ip', 'netns', 'delete', namespace]);
  };
  try {
    await mustRun(['ip', 'netns', 'add', namespace]);
    await mustRun([
      ...['ip', 'link', 'add', near, 'type', 'veth'],
      ...['peer', 'name', far, 'netns', namespace],
    ]);
    await mustRun(['ip', 'address', 'add', `${link.host}/30`, 'dev', near]);
    await mustRun(['ip', 'link', 'set', near, 'up']);
    await inside('address', 'add', `${link.far}/30`, 'dev', far);
    await inside('link', 'set', far, 'up');
    await inside('link', 'set', 'lo', 'up');
    await inside('route', 'add', 'default', 'via', link.host);
    await inside('address', 'add', `${address}/32`, 'dev', 'lo');
    await mustRun(['ip', 'route', 'add', `${address}/32`, 'via', link.far, 'dev', near]);
    const { stdout } = await mustRun(['ip', '-o', 'route', 'get', address]);
    if (!stdout.includes(` dev ${near} `)) throw new Error(`${address} is not enclosed: ${stdout}`);
    return { namespace, address, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Avoids addresses of tests that run at the same time. */
async function freeAddresses() {
  const used = (await mustRun(['ip', '-o', '-4', 'address'])).stdout;
  const routes = (await mustRun(['ip', '-o', '-4', 'route'])).stdout;
  for (;;) {
    const block = randomInt(64) * 4;
    const link = { host: `192.0.2.${block + 1}`, far: `192.0.2.${block + 2}` };
    const address = `93.184.217.${randomInt(1, 255)}`;
    if (!used.includes(` ${link.host}/`) && !routes.includes(`${address} `))
      return { link, address };
  }
}
