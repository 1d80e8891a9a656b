// The lazily loaded part of load.ts: reads the files, checks what projects may set, and merges the layers.
import { totalmem } from 'node:os';
import { CoiError } from '../errors.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import { type ConfigSources, findSources } from './files.ts';
import type { KeyName, Settings } from './keys/table.ts';
import { mergeLayers } from './merge.ts';
import type { Layer } from './origin.ts';
import { builtInProfiles, type Profile, profileChain, profileLayer } from './profile.ts';
import { listProfiles, readProfile } from './profile-files.ts';
import type { ConfigSource } from './read.ts';
import type { ConfigFacts, PendingValue, ResolvedConfig } from './resolved-config.ts';
import { pendingWarning, profilePrefix } from './trust/pending.ts';
import {
  approvalDigest,
  judgeValue,
  resolveHostPaths,
  resolveLinks,
  type TrustFacts,
  valueText,
} from './trust/trust.ts';
import { readApprovals, trustsAll } from './trust/trust-store.ts';

/** Resolves the configuration with its files. Throws `config-invalid` and `profile-not-found`. */
export function loadFiles(
  facts: ConfigFacts,
  files: HostFiles,
  environment: Layer,
  flags: Layer,
): ResolvedConfig {
  const sources = findSources(facts, files);
  const trustedFiles = [sources.user, sources.named].filter((source) => source !== undefined);
  const name =
    facts.profile ??
    mergeLayers(trustedFiles.map(fileLayer), facts.home).settings['defaults.profile'];
  const chain = name === undefined ? [] : loadChain(name, facts, files);
  const baseline = mergeLayers(
    [
      ...trustedFiles.map(fileLayer),
      environment,
      profileLayer(chain.filter(({ source }) => source.trusted)),
      flags,
    ],
    facts.home,
  ).settings;
  const gate = new TrustGate(facts, files, baseline);
  const project = sources.project && gate.filter(sources.project);
  const profile = chain.map((one) => ({ ...one, source: gate.filter(one.source, one.name) }));
  const result = mergeLayers(
    [...layers(sources.user, project, sources.named), environment, profileLayer(profile), flags],
    facts.home,
  );
  const contextFile = gate.contextFile(chain);
  return {
    ...result,
    warnings: [
      ...sources.warnings,
      ...noEffectWarnings(sources, result.settings),
      ...gate.warnings,
    ],
    profile: name,
    contextFile,
    waiting: gate.waiting,
    untrusted: gate.untrusted,
  };
}

/** Removes values that a project may not set without approval, and records them. */
class TrustGate {
  readonly warnings: string[] = [];
  readonly waiting: PendingValue[] = [];
  readonly untrusted: { path: string; digest: string; approved: boolean }[] = [];
  readonly #facts: TrustFacts;
  readonly #all: boolean;
  readonly #approvals: () => ReadonlyMap<string, string>;

  constructor(facts: ConfigFacts, files: HostFiles, trusted: Settings) {
    this.#facts = {
      trusted,
      workspace: files.realPath(facts.workspace) ?? facts.workspace,
      realPath: cacheAnswers(files.realPath),
      memoryBytes: totalmem(),
    };
    this.#all = trustsAll(facts.env);
    this.#approvals = () => readApprovals(facts.home, files);
  }

  filter(source: ConfigSource, profile?: string): ConfigSource {
    if (source.trusted) return source;
    const values: Record<string, unknown> = {};
    const held: PendingValue[] = [];
    for (const name of Object.keys(source.values) as KeyName[]) {
      const value = source.values[name];
      const judged = judgeValue(name, value, this.#facts);
      if (judged.kind !== 'waits') {
        if (judged.kind === 'fine') values[name] = resolveHostPaths(name, value, this.#facts);
        else
          this.warnings.push(
            `${source.path}:${source.line(name)}: ${profilePrefix(profile)}${name} is ignored: only your own ~/.coi/config.toml can set it`,
          );
        continue;
      }
      if (judged.kept !== undefined)
        values[name] = resolveHostPaths(name, judged.kept, this.#facts);
      held.push({
        name,
        source: source.path,
        profile,
        line: source.line(name),
        text: valueText(name, judged.held),
      });
    }
    if (held.length === 0) return { ...source, values };
    const digest = approvalDigest(source, this.#facts);
    const approved = this.#all || this.#approvals().get(source.path) === digest;
    this.untrusted.push({ path: source.path, digest, approved });
    if (!approved) {
      this.waiting.push(...held);
      this.warnings.push(...held.map(pendingWarning));
      return { ...source, values };
    }
    const all = (Object.keys(source.values) as KeyName[]).filter(
      (name) => judgeValue(name, source.values[name], this.#facts).kind !== 'ignored',
    );
    return {
      ...source,
      values: Object.fromEntries(
        all.map((name) => [name, resolveHostPaths(name, source.values[name], this.#facts)]),
      ),
    };
  }

  /** The nearest context file of a chain. A project's must be in the workspace, because its text goes to the agent. */
  contextFile(chain: readonly Profile[]): string | undefined {
    const owner = chain.findLast(({ source }) => source.context !== undefined);
    if (owner?.source.context === undefined) return undefined;
    const { source } = owner;
    const path = source.context?.startsWith('/')
      ? source.context
      : `${source.path.slice(0, source.path.lastIndexOf('/'))}/${source.context}`;
    if (source.trusted || this.#all) return path;
    const real = resolveLinks(path, this.#facts);
    if (real.startsWith(`${this.#facts.workspace}/`)) return real;
    this.warnings.push(`${source.path}: context is ignored: it is outside of the workspace`);
    return undefined;
  }
}

/** Caches one answer per path, so that swapping links cannot make the checked path differ from the used one. */
function cacheAnswers(ask: TrustFacts['realPath']): TrustFacts['realPath'] {
  const answers = new Map<string, string | undefined>();
  return (path) => {
    if (!answers.has(path)) answers.set(path, ask(path));
    return answers.get(path);
  };
}

function loadChain(name: string, facts: ConfigFacts, files: HostFiles): Profile[] {
  const known = () => [
    ...new Set([
      ...listProfiles(facts, files).map((profile) => profile.name),
      ...Object.keys(builtInProfiles),
    ]),
  ];
  return profileChain(
    name,
    (wanted) => chooseProfile(wanted, readProfile(wanted, facts, files), builtIn(wanted)),
    known,
  );
}

/** A user's file replaces a built-in profile. A project's must not, because that would remove its protection. */
function chooseProfile(
  name: string,
  source: ConfigSource | undefined,
  ours: ConfigSource | undefined,
): ConfigSource | undefined {
  if (source && !source.trusted && ours && Object.keys(ours.values).length > 0)
    throw new CoiError('config-invalid', `${source.path}: the profile ${name} is built in`, {
      hint: "Rename the project's profile.",
    });
  return source ?? ours;
}

function builtIn(name: string): ConfigSource | undefined {
  const values = Object.hasOwn(builtInProfiles, name) ? builtInProfiles[name] : undefined;
  return (
    values && {
      path: 'built in',
      kind: 'profile',
      trusted: true,
      values,
      line: () => 0,
      inherits: undefined,
      context: undefined,
    }
  );
}

function layers(...sources: (ConfigSource | undefined)[]): Layer[] {
  return sources.filter((source) => source !== undefined).map(fileLayer);
}

function fileLayer(source: ConfigSource): Layer {
  return {
    values: source.values,
    origin: (key) => ({ kind: 'file', path: source.path, line: source.line(key) }),
  };
}

/** Warnings for keys that are accepted but no longer have an effect. */
function noEffectWarnings(found: ConfigSources, settings: Settings): string[] {
  const elsewhere = (
    [
      ['incus.project', 'default'],
      ['incus.code_uid', 1000],
      ['incus.code_user', 'code'],
    ] as const
  ).flatMap(([name, only]) =>
    settings[name] === only
      ? []
      : [`${name} = ${JSON.stringify(settings[name])} has no effect: it is always ${only}`],
  );
  return [...elsewhere, ...immutableWarning(found, settings)];
}

function immutableWarning({ user, named }: ConfigSources, settings: Settings): string[] {
  const given = [user, named].some(
    (source) => source?.values['security.host_immutable'] !== undefined,
  );
  return given && settings['security.host_immutable']
    ? [
        '[security] host_immutable is superseded: protected paths are guarded by ids, which need no immutable flag',
      ]
    : [];
}
