// Commands that print text or JSON.
import type { Command } from 'commander';
import { Option } from 'commander';

export function formatted(command: Command): Command {
  return command
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json');
}

export function wantsJson({ format, json }: FormatOptions): boolean {
  return json === true || format === 'json';
}

export interface FormatOptions {
  format?: 'text' | 'json';
  json?: boolean;
}
