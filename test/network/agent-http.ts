// The tenant's HTTP: requests a page under any name, and relays connections as a proxy does.
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

const answerMs = 1500;

/** The page's text or the error's code. The requested name may be any, whatever the address. */
export function http(address: string, port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const pageRequest = request({
      host: address,
      port,
      headers: { host },
      agent: false,
      timeout: answerMs,
    });
    pageRequest.on('timeout', () =>
      pageRequest.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })),
    );
    pageRequest.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
    pageRequest.on('response', async (response) => {
      let text = '';
      for await (const part of response) text += String(part);
      resolve(text);
    });
    pageRequest.end();
  });
}

/** A proxy that connects any client to anything it can reach, and reports errors. */
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

/** The relay's result for that target (`open`, or an error code), or the error code of the connection to it. */
export function viaRelay(via: string, viaPort: number, target: string): Promise<string> {
  return new Promise((resolve) => {
    const pageRequest = request({
      ...{ host: via, port: viaPort, method: 'CONNECT', path: target },
      ...{ agent: false, timeout: 2 * answerMs },
    });
    pageRequest.on('timeout', () =>
      pageRequest.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })),
    );
    pageRequest.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
    pageRequest.on('connect', ({ statusMessage = '' }, socket) => {
      socket.destroy();
      resolve(statusMessage);
    });
    pageRequest.end();
  });
}
