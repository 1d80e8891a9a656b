// The part of load.ts that is loaded when there are files: reads, judges what projects may say, and merges.
import { totalmem } from 'node:os';
import { CoiError } from '../errors.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import { type FoundSources, foundSources } from './files.ts';
import type { KeyName, Settings } from './keys/table.ts';
import { merged } from './merge.ts';
import type { Layer } from './origin.ts';
import { builtInProfiles, type Profile, profileChain, profileLayer } from './profile.ts';
import { profileNames, profileSource } from './profile-files.ts';
import type { ConfigSource } from './read.ts';
import type { ConfigFacts, ResolvedConfig, Waiting } from './resolved-config.ts';
import {
  approvalDigest,
  settled,
  type TrustFacts,
  valueText,
  verdict,
  withoutLinks,
} from './trust/trust.ts';
import { approvals, trustsAll } from './trust/trust-store.ts';
import { ofProfile, waitingLine } from './trust/waiting.ts';

/** Resolves the configuration with its files. Throws `config-invalid` and `profile-not-found`. */
export function loadFiles(
  facts: ConfigFacts,
  files: HostFiles,
  environment: Layer,
  flags: Layer,
): ResolvedConfig {
  const found = foundSources(facts, files);
  const trustedFiles = [found.user, found.named].filter((source) => source !== undefined);
  const name =
    facts.profile ?? merged(trustedFiles.map(fileLayer), facts.home).settings['defaults.profile'];
  const chain = name === undefined ? [] : chainOf(name, facts, files);
  const baseline = merged(
    [
      ...trustedFiles.map(fileLayer),
      environment,
      profileLayer(chain.filter(({ source }) => source.trusted)),
      flags,
    ],
    facts.home,
  ).settings;
  const gate = new Gate(facts, files, baseline);
  const project = found.project && gate.passed(found.project);
  const profile = chain.map((one) => ({ ...one, source: gate.passed(one.source, one.name) }));
  const result = merged(
    [...layers(found.user, project, found.named), environment, profileLayer(profile), flags],
    facts.home,
  );
  const contextFile = gate.contextFile(chain);
  return {
    ...result,
    warnings: [...found.warnings, ...superseded(found, result.settings), ...gate.warnings],
    profile: name,
    contextFile,
    waiting: gate.waiting,
    untrusted: gate.untrusted,
  };
}

/** Takes out of a project's file what it may not decide, and remembers it. */
class Gate {
  readonly warnings: string[] = [];
  readonly waiting: Waiting[] = [];
  readonly untrusted: { path: string; digest: string; approved: boolean }[] = [];
  readonly #facts: TrustFacts;
  readonly #all: boolean;
  readonly #approvals: () => ReadonlyMap<string, string>;

  constructor(facts: ConfigFacts, files: HostFiles, trusted: Settings) {
    this.#facts = {
      trusted,
      workspace: files.realPath(facts.workspace) ?? facts.workspace,
      realPath: askedOnce(files.realPath),
      memoryBytes: totalmem(),
    };
    this.#all = trustsAll(facts.env);
    this.#approvals = () => approvals(facts.home, files);
  }

  passed(source: ConfigSource, profile?: string): ConfigSource {
    if (source.trusted) return source;
    const values: Record<string, unknown> = {};
    const held: Waiting[] = [];
    for (const name of Object.keys(source.values) as KeyName[]) {
      const value = source.values[name];
      const judged = verdict(name, value, this.#facts);
      if (judged.kind !== 'waits') {
        if (judged.kind === 'fine') values[name] = settled(name, value, this.#facts);
        else
          this.warnings.push(
            `${source.path}:${source.line(name)}: ${ofProfile(profile)}${name} is ignored: it counts only in your own ~/.coi/config.toml`,
          );
        continue;
      }
      if (judged.kept !== undefined) values[name] = settled(name, judged.kept, this.#facts);
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
      this.warnings.push(...held.map(waitingLine));
      return { ...source, values };
    }
    const all = (Object.keys(source.values) as KeyName[]).filter(
      (name) => verdict(name, source.values[name], this.#facts).kind !== 'ignored',
    );
    return {
      ...source,
      values: Object.fromEntries(
        all.map((name) => [name, settled(name, source.values[name], this.#facts)]),
      ),
    };
  }

  /** The nearest context file of a chain. A project's may only be one of the workspace: its text goes to the agent. */
  contextFile(chain: readonly Profile[]): string | undefined {
    const owner = chain.findLast(({ source }) => source.context !== undefined);
    if (owner?.source.context === undefined) return undefined;
    const { source } = owner;
    const path = source.context?.startsWith('/')
      ? source.context
      : `${source.path.slice(0, source.path.lastIndexOf('/'))}/${source.context}`;
    if (source.trusted || this.#all) return path;
    const real = withoutLinks(path, this.#facts);
    if (real.startsWith(`${this.#facts.workspace}/`)) return real;
    this.warnings.push(`${source.path}: context is ignored: it is outside of the workspace`);
    return undefined;
  }
}

/** One answer for each path: what was judged, what is approved and what is used are the same then, whoever swaps links. */
function askedOnce(ask: TrustFacts['realPath']): TrustFacts['realPath'] {
  const answers = new Map<string, string | undefined>();
  return (path) => {
    if (!answers.has(path)) answers.set(path, ask(path));
    return answers.get(path);
  };
}

function chainOf(name: string, facts: ConfigFacts, files: HostFiles): Profile[] {
  const known = () => [
    ...new Set([
      ...profileNames(facts, files).map((profile) => profile.name),
      ...Object.keys(builtInProfiles),
    ]),
  ];
  return profileChain(
    name,
    (wanted) => found(wanted, profileSource(wanted, facts, files), builtIn(wanted)),
    known,
  );
}

/** A user's own file takes the place of a built-in profile; a project's must not: it would take away what that protects. */
function found(
  name: string,
  source: ConfigSource | undefined,
  ours: ConfigSource | undefined,
): ConfigSource | undefined {
  if (source && !source.trusted && ours && Object.keys(ours.values).length > 0)
    throw new CoiError('config-invalid', `${source.path}: the profile ${name} is built in`, {
      hint: 'Rename the one of the project.',
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

/** Keys that are still taken, but do nothing any more. */
function superseded(found: FoundSources, settings: Settings): string[] {
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
  return [...elsewhere, ...immutability(found, settings)];
}

function immutability({ user, named }: FoundSources, settings: Settings): string[] {
  const given = [user, named].some(
    (source) => source?.values['security.host_immutable'] !== undefined,
  );
  return given && settings['security.host_immutable']
    ? [
        '[security] host_immutable is superseded: protected paths are guarded by ids, which need no immutable flag',
      ]
    : [];
}
