// Workspaces with old and new content, the host's real git, and the hand-off report about them.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { handoffFindings } from '../../src/app/handoff/report.ts';
import { handoffLines } from '../../src/session/handoff/findings.ts';

const env = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.invalid',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.invalid',
};

export class HandoffFixture implements Disposable {
  readonly #top = realpathSync(mkdtempSync(join(tmpdir(), 'coit-handoff-')));
  readonly root = join(this.#top, 'work');
  readonly #marker = join(this.#top, 'marker');
  /** A program that leaves a trace when it runs. */
  readonly program = join(this.#top, 'program');
  readonly #trace = join(this.#top, 'trace');
  #sinceMs = 0;
  guarded: readonly string[] = [];

  constructor() {
    mkdirSync(this.root);
    writeFileSync(this.program, `#!/bin/sh\ntouch ${this.#trace}\n`);
    chmodSync(this.program, 0o755);
  }

  [Symbol.dispose](): void {
    // Node cannot remove a tree that is too deep.
    execFileSync('rm', ['-rf', this.#top]);
  }

  /** Outside the workspace. */
  outside(name: string): string {
    return join(this.#top, name);
  }

  write(path: string, text = 'x\n', mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  sh(script: string): void {
    execFileSync('sh', ['-ec', script], {
      cwd: this.root,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  }

  /** Later changes are the agent's. File times have a coarse resolution, and coid compares milliseconds. */
  begin(): void {
    writeFileSync(this.#marker, '');
    const oldMs = statSync(this.#marker).ctimeMs;
    while (this.#sinceMs <= oldMs) {
      writeFileSync(this.#marker, 'x');
      this.#sinceMs = Math.floor(statSync(this.#marker).ctimeMs);
    }
  }

  findings({ thorough = true, max = 100_000 } = {}) {
    const startedAt = new Date(this.#sinceMs).toISOString();
    const open = [{ container: 'c', startedAt, guarded: this.guarded }];
    const since = new Date(this.#sinceMs);
    return handoffFindings(this.root, { since, sessions: { sessions: [], open }, thorough, max });
  }

  /** Both forms must agree; returns the lines of the thorough one. */
  lines(): string[] {
    const { files } = this.findings();
    const quick = this.findings({ thorough: false }).files;
    const missing = files.filter(
      ({ path, why }) => !/setuid/.test(why) && !quick.some((one) => one.path === path),
    );
    if (missing.length > 0) throw new Error(`not in the short form: ${JSON.stringify(missing)}`);
    return handoffLines(this.findings()).map(({ path, why }) => `${path} - ${why}`);
  }

  /** Whether the program ran when the user ran git in that directory. */
  gitRuns(directory: string, args: readonly string[] = ['status']): boolean {
    rmSync(this.#trace, { force: true });
    spawnSync('git', args, { cwd: join(this.root, directory), env, stdio: 'ignore' });
    return existsSync(this.#trace);
  }
}
