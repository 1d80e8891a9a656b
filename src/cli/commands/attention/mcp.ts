// `coi mcp`: a Model Context Protocol server on stdin and stdout.
import type { Command } from 'commander';
import { makeCoi } from '../../../app/embedding/coi.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

interface Options extends GlobalOptions {
  readOnly?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('--read-only', 'offer only tools that change nothing')
    .addHelpText(
      'after',
      `
For programs that lead sessions, such as an agent on the host:
  claude mcp add coi -- coi mcp
It serves the program that has started it and nobody else: it listens on no socket, so agents inside of sessions cannot
reach it. The program gets your rights to open, use and end sessions.`,
    )
    .action(() => serve(app, mergedOptions<Options>(command)));
}

async function serve(app: App, { readOnly = false }: Options): Promise<void> {
  const { stdin, stdout } = app.io;
  if (stdin.isTTY)
    throw new CoiError('usage', 'coi mcp is started by a program, not on a terminal', {
      hint: 'Add it to an MCP client, for example with `claude mcp add coi -- coi mcp`.',
    });
  const { serveMcp } = await import('../../../mcp/server.ts');
  const coi = makeCoi(app, () => {
    throw new CoiError('no-terminal', 'coi mcp has no terminal');
  });
  await serveMcp(coi, { readOnly, stdin, stdout, signal: app.signal });
  app.signal.throwIfAborted();
}
