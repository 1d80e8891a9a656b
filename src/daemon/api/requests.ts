// Parses and validates request bodies.
import { isAbsolute, normalize } from 'node:path';
import * as z from 'zod/mini';
import type { EndedRequest, OwnershipRequest } from '../../coid-api/ended-protocol.ts';
import type { NetworkMode, PolicyRecord } from '../../coid-api/network-protocol.ts';
import { mountsMax } from '../../coid-api/protocol.ts';
import type {
  MountRequest,
  ProtectRequest,
  RemountRequest,
  ReserveRequest,
} from '../../coid-api/session-protocol.ts';
import type { StuckRequest } from '../../coid-api/stuck-protocol.ts';
import { CoiError } from '../../errors.ts';
import {
  parseContainerName,
  parseHash,
  parsePrefix,
  parseSessionId,
  parseSlot,
  quoted,
} from '../../names.ts';
import { networkPolicy } from '../../network/policy.ts';
import { parseProtectedPath } from '../../session/protect/protect-request.ts';

const path = z.string().check(z.minLength(1), z.maxLength(4095));
const mode = z.enum(['restricted', 'allowlist', 'open']);
const directoriesMax = 1000;
const shortText = z.string().check(z.maxLength(300));
const port = z.int().check(z.minimum(1), z.maximum(65_535));
const policyShape = z.strictObject({
  mode,
  allow: z.array(shortText).check(z.maxLength(500)),
  hosts: z
    .array(z.strictObject({ address: shortText, names: z.array(shortText), ports: z.array(port) }))
    .check(z.maxLength(500)),
  dnsServers: z.array(shortText).check(z.maxLength(10)),
  allowedPorts: z.array(port).check(z.maxLength(500)),
  allowLocal: z.boolean(),
  blockPrivate: z.boolean(),
  blockMetadata: z.boolean(),
});
const mountShapes = z
  .array(
    z.strictObject({
      name: z.string(),
      source: path,
      readonly: z.boolean(),
      inside: z.optional(path),
      git: z.optional(z.string().check(z.regex(/^(?!\.{1,2}$)[^/\0]{1,255}$/))),
    }),
  )
  .check(z.maxLength(mountsMax));
/** Paths from the configuration, plus secret paths and the links to them. */
const protectedMax = 600;
const secretShapes = z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(200));
const protectShape = z.strictObject({
  paths: z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(protectedMax)),
  mode: z.enum(['guard', 'watch']),
  readonlyGit: z.optional(z.boolean()),
  writable: z.optional(
    z.array(z.string().check(z.maxLength(1023))).check(z.maxLength(protectedMax)),
  ),
});
const ownershipShape = z.strictObject({
  workspace: path,
  directories: z.array(path).check(z.maxLength(directoriesMax)),
  dryRun: z.optional(z.boolean()),
});
const startId = z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));
const remountShape = z.strictObject({
  id: z.string(),
  startId,
  mounts: z.optional(mountShapes),
  network: z.optional(mode),
  protect: z.optional(protectShape),
  secrets: z.optional(secretShapes),
});
const endedShape = z.strictObject({ workspace: path, container: z.optional(z.string()) });
const reserveShape = z.strictObject({
  prefix: z.string(),
  hash: z.string().check(z.regex(/^[0-9a-f]{8}$/)),
  slot: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('auto') }),
    z.strictObject({ kind: z.literal('from'), slot: z.number() }),
  ]),
  container: z.optional(z.string()),
  session: z.string(),
  startId,
  workspace: path,
  mounts: mountShapes,
  network: mode,
  policy: z.optional(policyShape),
  protect: z.optional(protectShape),
  secrets: z.optional(secretShapes),
  persistent: z.optional(z.boolean()),
});

/** Throws `usage`, or a code for invalid names and paths. */
export function parseReserveRequest(body: unknown): ReserveRequest {
  const result = z.safeParse(reserveShape, body);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new CoiError(
      'usage',
      `invalid reservation: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    );
  }
  const { prefix, hash, slot, container, session, workspace, mounts, policy, protect, ...more } =
    result.data;
  const { secrets, ...rest } = more;
  return {
    ...rest,
    prefix: parsePrefix(prefix),
    hash: parseHash(hash),
    slot: slot.kind === 'auto' ? slot : { kind: 'from', slot: parseSlot(String(slot.slot)) },
    ...(container === undefined ? {} : { container: parseContainerName(container) }),
    ...(policy === undefined ? {} : { policy: checkPolicy(policy, rest.network) }),
    ...(protect === undefined ? {} : { protect: checkProtection(protect) }),
    ...(secrets === undefined ? {} : { secrets: secrets.map(parseProtectedPath) }),
    session: parseSessionId(session),
    workspace: absolutePath(workspace),
    mounts: checkMounts(mounts),
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseRemountRequest(body: unknown): RemountRequest {
  const result = z.safeParse(remountShape, body);
  if (!result.success) throw new CoiError('usage', 'invalid mount request');
  const { id, startId, mounts, network, protect, secrets } = result.data;
  return {
    id,
    startId,
    ...(mounts === undefined ? {} : { mounts: checkMounts(mounts) }),
    ...(network === undefined ? {} : { network }),
    ...(protect === undefined ? {} : { protect: checkProtection(protect) }),
    ...(secrets === undefined ? {} : { secrets: secrets.map(parseProtectedPath) }),
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseOwnershipRequest(body: unknown): OwnershipRequest {
  const result = z.safeParse(ownershipShape, body);
  if (!result.success) throw new CoiError('usage', 'invalid ownership request');
  const { workspace, directories, dryRun } = result.data;
  return {
    workspace: absolutePath(workspace),
    directories: directories.map(absolutePath),
    dryRun: dryRun ?? false,
  };
}

/** Throws `usage` or `mount-invalid`. */
export function parseEndedRequest(body: unknown): EndedRequest {
  const result = z.safeParse(endedShape, body);
  if (!result.success) throw new CoiError('usage', 'invalid request for ended sessions');
  const { workspace, container } = result.data;
  return { workspace: absolutePath(workspace), container };
}

const stuckShape = z.object({ id: z.string() });

/** Throws `usage`. */
export function parseStuckRequest(body: unknown): StuckRequest {
  const result = z.safeParse(stuckShape, body);
  if (!result.success) throw new CoiError('usage', 'invalid request to free a container');
  return result.data;
}

function checkMounts(mounts: readonly MountRequest[]): MountRequest[] {
  if (new Set(mounts.map(({ name }) => name)).size < mounts.length)
    throw new CoiError('usage', 'invalid mount request: duplicate mount name');
  if (mounts.filter(({ git }) => git !== undefined).length > 1)
    throw new CoiError('usage', 'invalid mount request: more than one git directory');
  return mounts.map(({ name, source, readonly, inside, git }) => ({
    name: mountName(name),
    source: absolutePath(source),
    readonly,
    ...(inside === undefined ? {} : { inside: relativePath(inside) }),
    ...(git === undefined ? {} : { git }),
  }));
}

function relativePath(text: string): string {
  const plain = text
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
  if (plain || text === '.') return text;
  throw new CoiError('mount-invalid', `${quoted(text)} is not a plain path in the workspace`);
}

/** Throws `unprotected-path` for a path that is not plain. */
function checkProtection(request: ProtectRequest): ProtectRequest {
  const { paths, mode: how, readonlyGit, writable } = request;
  return {
    paths: paths.map(parseProtectedPath),
    mode: how,
    ...(readonlyGit ? { readonlyGit } : {}),
    ...(writable ? { writable: writable.map(parseProtectedPath) } : {}),
  };
}

/** Parses the whole policy once, so that creating rules from it cannot fail later. */
function checkPolicy(policy: PolicyRecord, mode: NetworkMode): PolicyRecord {
  if (policy.mode !== mode)
    throw new CoiError('usage', 'invalid reservation: policy and network mode differ');
  networkPolicy(policy);
  return policy;
}

/** The name becomes a directory below the run directory, so only plain names are valid. */
export function mountName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return name;
  throw new CoiError('mount-invalid', `invalid mount name ${quoted(name)}`);
}

function absolutePath(text: string): string {
  if (isAbsolute(text) && !text.includes('\0') && normalize(text) !== '') return normalize(text);
  throw new CoiError('mount-invalid', `${quoted(text)} is not an absolute path`);
}
