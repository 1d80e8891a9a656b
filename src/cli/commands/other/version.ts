// `coi version`.
import type { Command } from 'commander';
import { Option } from 'commander';
import { projectUrl, summaryLine } from '../../../version.ts';
import type { App } from '../../app.ts';

export function register(command: Command, app: App): void {
  command
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .allowExcessArguments()
    .option('--json', 'same as --format json')
    .action((options: { format: string; json?: boolean }) => {
      const { io, version } = app;
      if (options.json || options.format === 'json')
        io.printJson({ version: `v${version}`, url: projectUrl ?? '' });
      else io.print([summaryLine(version), ...(projectUrl ? [projectUrl] : [])].join('\n'));
    });
}
