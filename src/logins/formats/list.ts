// The tools whose logins are shared by all sessions of a user.
import { opencodeLogin, piLogin } from './by-provider.ts';
import { claudeLogin } from './claude.ts';
import { codexLogin } from './codex.ts';
import { geminiLogin } from './gemini.ts';
import type { LoginFile } from './login.ts';

export const loginFiles: readonly LoginFile[] = [
  claudeLogin,
  codexLogin,
  opencodeLogin,
  piLogin,
  geminiLogin,
];

export function loginFileOf(tool: string): LoginFile | undefined {
  return loginFiles.find((one) => one.tool === tool);
}
