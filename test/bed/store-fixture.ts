// A temporary home with a session store.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CoiError } from '../../src/errors.ts';
import { hostFiles } from '../../src/host/fs/host-files.ts';
import { firstSlot, parseSessionId } from '../../src/names.ts';
import {
  createStore,
  fillStore,
  recordSession,
  type StoreDirectories,
  type StoreRequest,
  storePath,
} from '../../src/session/store/store.ts';
import { findTool } from '../../src/tools/list.ts';
import type { ToolLaunch } from '../../src/tools/tool.ts';

export const sessionId = parseSessionId('0b7e3c1a-1111-4222-8333-444455556666');
export const claude = findTool('claude', { tools: {} });

export class StoreFixture implements Disposable {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), 'coit-store-')));
  /** The session's directory. */
  readonly store = storePath(this.home, 'sessions-claude', sessionId);
  readonly owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Writes a file of the home. */
  write(relative: string, content: string, modified?: Date): void {
    const path = join(this.home, relative);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (modified) utimesSync(path, modified, modified);
  }

  /** Writes a file of the session, as its container would. */
  plant(relative: string, content: string, modified?: Date): void {
    this.write(`.coi/sessions-claude/${sessionId}/${relative}`, content, modified);
  }

  launch(kind: 'new' | 'resume', more: Partial<ToolLaunch> = {}): ToolLaunch {
    return {
      sessionId,
      conversation: { kind },
      permissionMode: 'bypass',
      home: '/home/code',
      workspace: '/workspace',
      ...more,
    };
  }

  prepare(
    kind: 'new' | 'resume' = 'new',
    more: Partial<StoreRequest> = {},
  ): StoreDirectories & { readonly warnings: readonly string[] } {
    const { home, owner } = this;
    const request = {
      home,
      tool: claude,
      launch: this.launch(kind),
      context: '# Here',
      carry: undefined,
      workspace: `${home}/shop`,
      nowMs: Date.now(),
      storeOwner: owner,
      owner,
      ...more,
    };
    return { ...createStore(request, hostFiles), warnings: fillStore(request, hostFiles) };
  }

  record(
    workspace = '/p',
    container = 'coi-0123abcd-1',
    savedAt = new Date(0),
    id = sessionId,
  ): void {
    const metadata = {
      sessionId: id,
      container,
      persistent: false,
      profile: undefined,
      workspace,
      savedAt,
      tool: 'claude',
      slot: firstSlot,
    };
    recordSession({ home: this.home, tool: claude, storeOwner: this.owner, metadata }, hostFiles);
  }

  /** Content of a file of the session. */
  stored(relative: string): string {
    return readFileSync(join(this.store, relative), 'utf8');
  }

  settings(relative: string) {
    return JSON.parse(this.stored(relative));
  }
}

export function isUnusable(error: unknown): boolean {
  return error instanceof CoiError && error.code === 'store-unusable';
}
