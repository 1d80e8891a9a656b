// Images and their aliases. An import streams the files from disk.
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { exchange, segment, undefinedIfMissing } from './api.ts';
import type { Api } from './call.ts';
import { type CallOptions, type Incus, IncusError, type Operation } from './client.ts';
import { listWithDefaults, withDefaults } from './defaults.ts';
import type { HttpCall } from './http.ts';
import { operationOf } from './operation.ts';
import type { Image, ImageAliasEntry, OperationData } from './shapes.ts';

/** An upload of a gigabyte takes seconds, or minutes on a slow disk. */
const importLimitMs = 15 * 60_000;

type ImageCalls = Pick<
  Incus,
  | 'images'
  | 'image'
  | 'imageAlias'
  | 'setImageAlias'
  | 'deleteImageAlias'
  | 'publishImage'
  | 'importImage'
  | 'deleteImage'
  | 'refreshImage'
>;

export function imageCalls(api: Api): ImageCalls {
  const aliasAt = (alias: string) => `/images/aliases/${segment(alias)}`;
  return {
    images: async (options) =>
      listWithDefaults(await api.get<Image[]>('/images?recursion=1', options), withDefaults.image),
    image: async (fingerprint, options) => {
      const found = await api.find<Image>(`/images/${segment(fingerprint)}`, options);
      return found && withDefaults.image(found.value);
    },
    imageAlias: async (alias, options) =>
      (await api.find<ImageAliasEntry>(aliasAt(alias), options))?.value,
    setImageAlias: async (alias, fingerprint, description = '', options = {}) => {
      const target = { target: fingerprint, description };
      const moved = () => undefinedIfMissing(api.call('PUT', aliasAt(alias), target, options));
      if (await moved()) return;
      try {
        await api.call('POST', '/images/aliases', { name: alias, ...target }, options);
      } catch (error) {
        // Somebody else created it meanwhile.
        const raced = error instanceof IncusError && error.status === 409;
        if (!raced || !(await moved())) throw error;
      }
    },
    deleteImageAlias: async (alias, options) => {
      await api.call('DELETE', aliasAt(alias), undefined, options);
    },
    publishImage: (request, options) =>
      api.start(
        'POST',
        '/images',
        {
          source: { type: 'instance', name: request.instance },
          properties: request.properties ?? {},
          ...(request.compression === undefined
            ? {}
            : { compression_algorithm: request.compression }),
          aliases: (request.aliases ?? []).map((name) => ({ name, description: '' })),
        },
        options,
      ),
    importImage: (request, options = {}) => importSplit(api, request, options),
    refreshImage: (fingerprint, options) =>
      api.start('POST', `/images/${segment(fingerprint)}/refresh`, undefined, options),
    deleteImage: (fingerprint, options) =>
      api.start('DELETE', `/images/${segment(fingerprint)}`, undefined, options),
  };
}

async function importSplit(
  api: Api,
  request: { metadataPath: string; rootfsPath: string; properties?: Record<string, string> },
  options: CallOptions,
): Promise<Operation> {
  const form = await multipart([
    { field: 'metadata', path: request.metadataPath },
    { field: 'rootfs', path: request.rootfsPath },
  ]);
  const call: HttpCall = {
    method: 'POST',
    path: api.url('/images'),
    headers: {
      'Content-Type': `multipart/form-data; boundary=${form.boundary}`,
      'Content-Length': form.sizeBytes,
      'X-Incus-properties': new URLSearchParams(request.properties ?? {}).toString(),
    },
    body: form.body,
  };
  try {
    const reply = await exchange(api.http, call, options, importLimitMs);
    return operationOf(api, reply.metadata as OperationData);
  } finally {
    form.body.destroy();
  }
}

/** A multipart/form-data body (RFC 7578) of files on disk, with a known length. */
async function multipart(parts: readonly { field: string; path: string }[]) {
  const boundary = `incus-${randomUUID()}`;
  const heads = parts.map(({ field }) =>
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${field}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ),
  );
  const tail = Buffer.from(`--${boundary}--\r\n`);
  const sizes = await Promise.all(parts.map(async ({ path }) => (await stat(path)).size));
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  async function* content() {
    for (const [index, { path }] of parts.entries()) {
      yield heads[index];
      yield* createReadStream(path);
      yield Buffer.from('\r\n');
    }
    yield tail;
  }
  const sizeBytes = sum(sizes) + sum(heads.map((head) => head.length + 2)) + tail.length;
  return { boundary, sizeBytes, body: Readable.from(content(), { objectMode: false }) };
}
