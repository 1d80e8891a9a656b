// What the tenant does with HTTP: asks for a page under any name, and relays connections for others, as a proxy does.
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

const answerMs = 1500;

/** The page's text, or the error's code. The name that is asked for may be any, whatever the address is. */
export function http(address: string, port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({
      host: address,
      port,
      headers: { host },
      agent: false,
      timeout: answerMs,
    });
    asked.on('timeout', () => asked.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
    asked.on('response', async (response) => {
      let text = '';
      for await (const part of response) text += String(part);
      resolve(text);
    });
    asked.end();
  });
}

/** A proxy that connects for everybody to everything it can reach, and says why it cannot. */
export function relay(port: number): Promise<boolean> {
  const server = createServer();
  server.on('connect', ({ url = '' }, client) => {
    const [host = '', to = ''] = url.split(':');
    const upstream = connect({ host, port: Number(to) });
    upstream.setTimeout(answerMs, () => client.end('HTTP/1.1 504 ETIMEDOUT\r\n\r\n'));
    upstream.on('connect', () => client.end('HTTP/1.1 200 open\r\n\r\n'));
    upstream.on('error', ({ code }: NodeJS.ErrnoException) =>
      client.end(`HTTP/1.1 502 ${code}\r\n\r\n`),
    );
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
  });
  return new Promise((resolve) => server.listen(port, () => resolve(true)));
}

/** What the relay says of that target (`open`, or an error's code), or the code of the error on the way to it. */
export function through(via: string, viaPort: number, target: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({
      ...{ host: via, port: viaPort, method: 'CONNECT', path: target },
      ...{ agent: false, timeout: 2 * answerMs },
    });
    asked.on('timeout', () => asked.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
    asked.on('connect', ({ statusMessage = '' }, socket) => {
      socket.destroy();
      resolve(statusMessage);
    });
    asked.end();
  });
}
