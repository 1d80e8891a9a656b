// A temporary home and project with configuration files.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { ConfigFacts, ResolvedConfig } from '../../src/config/resolved-config.ts';
import { CoiError, type ErrorCode } from '../../src/errors.ts';
import { hostFiles } from '../../src/host/fs/host-files.ts';
import { knownWorkspaces } from '../../src/session/record/known-workspaces.ts';

export class ConfigFixture implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'coit-config-')));
  readonly home = join(this.root, 'home');
  readonly workspace = join(this.root, 'project');

  constructor() {
    mkdirSync(this.home);
    mkdirSync(this.workspace);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Writes a file with its directories; returns its path. */
  write(path: string, content: string | Uint8Array): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  user(text: string): string {
    return this.write(join(this.home, '.coi/config.toml'), text);
  }

  project(text: string): string {
    return this.write(join(this.workspace, '.coi/config.toml'), text);
  }

  profile(name: string, text: string, top = this.home): string {
    return this.write(join(top, `.coi/profiles/${name}/config.toml`), text);
  }

  load(more: Partial<ConfigFacts> = {}): Promise<ResolvedConfig> {
    const { home, workspace } = this;
    const workedIn = () => knownWorkspaces(home, hostFiles);
    return loadConfig(
      { home, workspace, cwd: workspace, env: {}, agentWorkspaces: workedIn, ...more },
      hostFiles,
    );
  }
}

/** For assert.rejects: a CoiError with that code whose message and hint contain all of `texts`. */
export function failsWith(code: ErrorCode, ...texts: (string | RegExp)[]) {
  return (error: unknown): true => {
    assert.ok(error instanceof CoiError, String(error));
    assert.equal(error.code, code);
    const reported = `${error.message} ${error.hint ?? ''}`;
    for (const text of texts) {
      assert.ok(
        typeof text === 'string' ? reported.includes(text) : text.test(reported),
        `${reported} lacks ${text}`,
      );
    }
    return true;
  };
}
