// All tools: built-in ones and the user's [tools.NAME].
import type { Settings } from '../config/keys/table.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { aider } from './aider.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { toCustomTool } from './custom.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';
import { pi } from './pi.ts';
import type { Tool } from './tool.ts';

const builtIn: readonly Tool[] = [claude, opencode, codex, pi, gemini, aider];

type ToolSettings = Pick<Settings, 'tools'>;

/** All tools; the user's come last and replace built-in ones with the same name. */
export function allTools(settings: ToolSettings): readonly Tool[] {
  const own = Object.entries(settings.tools).map(([name, table]) => toCustomTool(name, table));
  return [...builtIn.filter(({ name }) => !own.some((tool) => tool.name === name)), ...own];
}

/** With COI_USE_DUMMY=1 the tool's program is `dummy`, the stub in test images. Throws `tool-unknown`. */
export function findTool(
  name: string,
  settings: ToolSettings,
  env: Readonly<Record<string, string | undefined>> = {},
): Tool {
  const all = allTools(settings);
  const found = all.find((one) => one.name === name);
  if (!found) {
    throw new CoiError('tool-unknown', `unknown tool ${quoted(name)}`, {
      hint: `Use one of ${all.map((one) => one.name).join(', ')}, or define it in [tools.NAME] in ~/.coi/config.toml.`,
    });
  }
  return env['COI_USE_DUMMY'] === '1'
    ? {
        ...found,
        beforeStart: [],
        command: (launch) => ['dummy', ...found.command(launch).slice(1)],
        ...(found.continueCommand && {
          continueCommand: (launch) => [
            'dummy',
            ...(found.continueCommand?.(launch).slice(1) ?? []),
          ],
        }),
        ...(found.headless && {
          headless: (launch) => ['dummy', ...(found.headless?.(launch).slice(1) ?? [])],
        }),
      }
    : found;
}

/** The configured model and effort of a tool. */
export function toolModel(
  name: string,
  settings: Settings,
): { readonly model: string | undefined; readonly effort: string | undefined } {
  const general = settings['defaults.model'];
  switch (name) {
    case 'claude':
      return {
        model: settings['tool.claude.model'] ?? general,
        effort: settings['tool.claude.effort_level'],
      };
    case 'codex':
      return {
        model: settings['tool.codex.model'] ?? general,
        effort: settings['tool.codex.reasoning_effort'],
      };
    default:
      return { model: general, effort: undefined };
  }
}

/**
 * The last characters of API keys in those variables, which the tool itself stores to remember that a key was approved.
 * Only for long keys, so that the rest cannot be guessed.
 */
export function keyTails(environment: Readonly<Record<string, string>>): string[] {
  const key = environment['ANTHROPIC_API_KEY'];
  return key !== undefined && key.length >= 60 ? [key.slice(-20)] : [];
}
