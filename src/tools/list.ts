// All tools: those that coi knows and those of the user's [tools.NAME].
import type { Settings } from '../config/keys/table.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { aider } from './aider.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { customToolOf } from './custom.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';
import { pi } from './pi.ts';
import type { Tool } from './shape.ts';

const builtIn: readonly Tool[] = [claude, opencode, codex, pi, gemini, aider];

type ToolSettings = Pick<Settings, 'tools'>;

/** Every tool by name; the user's own come last and replace a known one of the same name. */
export function tools(settings: ToolSettings): readonly Tool[] {
  const own = Object.entries(settings.tools).map(([name, table]) => customToolOf(name, table));
  return [...builtIn.filter(({ name }) => !own.some((tool) => tool.name === name)), ...own];
}

/** The tool of that name. With COI_USE_DUMMY=1 its program is `dummy`, the stub of test images. Throws `tool-unknown`. */
export function tool(
  name: string,
  settings: ToolSettings,
  env: Readonly<Record<string, string | undefined>> = {},
): Tool {
  const all = tools(settings);
  const found = all.find((one) => one.name === name);
  if (!found) {
    throw new CoiError('tool-unknown', `there is no tool ${quoted(name)}`, {
      hint: `Use one of ${all.map((one) => one.name).join(', ')}, or describe it in a table [tools.NAME] of ~/.coi/config.toml.`,
    });
  }
  return env['COI_USE_DUMMY'] === '1'
    ? {
        ...found,
        beforeStart: [],
        command: (launch) => ['dummy', ...found.command(launch).slice(1)],
        ...(found.again && {
          again: (launch) => ['dummy', ...(found.again?.(launch).slice(1) ?? [])],
        }),
        ...(found.headless && {
          headless: (launch) => ['dummy', ...(found.headless?.(launch).slice(1) ?? [])],
        }),
      }
    : found;
}

/** Model and effort that the configuration has for a tool. */
export function toolChoices(
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
 * The ends of the keys among those variables by which the tool remembers that a key was approved: what it would write
 * itself. Only of long ones, so that nobody can guess the rest.
 */
export function keyTails(environment: Readonly<Record<string, string>>): string[] {
  const key = environment['ANTHROPIC_API_KEY'];
  return key !== undefined && key.length >= 60 ? [key.slice(-20)] : [];
}
