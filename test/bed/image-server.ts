// A local image server (simplestreams, like that of Incus) with one image, and the client configuration of a user.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mustRun } from './command.ts';
import type { TestUser } from './users.ts';

export interface ImageServer extends AsyncDisposable {
  /** From its index; Incus gives the image the same fingerprint. */
  readonly fingerprint: string;
  /** Requested paths. */
  readonly requestedPaths: string[];
  /** Adds it as a remote of that user, and another one, `<remote>-shut`, where nothing listens. */
  addTo(user: TestUser, remote: string): Promise<void>;
  /** Leaves the next download unanswered; the promises report its start and when the client has gone away. */
  holdDownload(): { readonly began: Promise<void>; readonly ended: Promise<void> };
  close(): Promise<void>;
}

/** Serves a unified image (a tar file) under the alias `made/1`. */
export async function startImageServer(image: string): Promise<ImageServer> {
  const directory = await mkdtemp(join(tmpdir(), 'coit-images-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  await mustRun([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-days', '2', '-keyout', key, '-out', cert, '-subj', '/CN=127.0.0.1'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1'],
  ]);
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(createReadStream(image), async (chunks) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
    }
  });
  const fingerprint = hash.digest('hex');
  const texts = streams(fingerprint, size);
  const requestedPaths: string[] = [];
  let pending: { began: () => void; ended: () => void } | undefined;
  const server = createServer(
    { key: await readFile(key), cert: await readFile(cert) },
    (request, reply) => {
      const path = request.url ?? '';
      requestedPaths.push(path);
      const text = texts[path];
      if (path === '/images/made.tar' && pending) {
        pending.began();
        reply.once('close', pending.ended);
        pending = undefined;
      } else if (path === '/images/made.tar') {
        reply.writeHead(200, { 'content-length': size });
        createReadStream(image).pipe(reply);
      } else reply.writeHead(text === undefined ? 404 : 200).end(text);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    fingerprint,
    requestedPaths: requestedPaths,
    addTo: async (user, remote) => {
      const conf = join(user.home, '.config/incus');
      await mkdir(join(conf, 'servercerts'), { recursive: true });
      const url = `https://127.0.0.1:${port}`;
      const at = (addr: string) => ({ addr, protocol: 'simplestreams', public: true });
      const remotes = { [remote]: at(url), [`${remote}-shut`]: at('https://127.0.0.1:9') };
      // JSON is valid YAML.
      await writeFile(join(conf, 'config.yml'), JSON.stringify({ remotes }));
      await cp(cert, join(conf, 'servercerts', `${remote}.crt`));
      for (const path of ['.config', '.config/incus', '.config/incus/servercerts'])
        await chown(join(user.home, path), user.uid, user.gid);
    },
    holdDownload: () => {
      const [began, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      pending = { began: began.resolve, ended: ended.resolve };
      return { began: began.promise, ended: ended.promise };
    },
    close,
    [Symbol.asyncDispose]: async () => {
      if (server.listening) await close();
      await rm(directory, { recursive: true });
    },
  };
}

function streams(sha256: string, size: number): Readonly<Record<string, string>> {
  const arch = process.arch === 'x64' ? 'amd64' : 'arm64';
  const name = `made:1:${arch}:default`;
  const item = { ftype: 'incus_combined.tar.gz', path: 'images/made.tar', size, sha256 };
  const product = {
    ...{ aliases: 'made/1', arch, os: 'Made', release: '1', release_title: '1' },
    versions: { '20260101_0000': { items: { 'incus_combined.tar.gz': item } } },
  };
  const datatype = 'image-downloads';
  const format = 'products:1.0';
  const images = { datatype, path: 'streams/v1/images.json', format, products: [name] };
  return {
    '/streams/v1/index.json': JSON.stringify({ format: 'index:1.0', index: { images } }),
    '/streams/v1/images.json': JSON.stringify({
      ...{ content_id: 'images', datatype, format },
      products: { [name]: product },
    }),
  };
}
