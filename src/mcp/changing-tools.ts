// MCP tools that change something. They cannot weaken a session: mounts, network modes and variables come from the user's
// configuration alone.
import type { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Coi, OpenOptions } from '../library-types.ts';
import { session } from './inputs.ts';
import { told } from './result.ts';
import { limited, withinLimit } from './time-limit.ts';

const secondsMax = 3600;
const sendSecondsDefault = 600;
const runSecondsDefault = 120;
const outputBytesMax = 64 * 1024;
const textMax = 256 * 1024;
const timeout_sec = z.number().int().min(1).max(secondsMax).optional();

export function addChangingTools(server: McpServer, coi: Coi): void {
  addMessageTools(server, coi);
  addSessionTools(server, coi);
}

function addMessageTools(server: McpServer, coi: Coi): void {
  server.registerTool(
    'send_message',
    {
      title: 'Send a message to an agent',
      description:
        'Sends a message to the agent of a session and checks that it has arrived; with `wait`, returns its answer when the turn ends. Nothing is sent while the agent asks a question (session-asks): use answer_question.',
      inputSchema: z.object({
        session,
        text: z.string().min(1).max(textMax),
        wait: z.boolean().optional().describe('wait until the agent has answered'),
        interrupt: z.boolean().optional().describe('end what the agent does first'),
        timeout_sec,
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
    },
    ({ session: name, text, timeout_sec = sendSecondsDefault, ...options }, { mcpReq }) =>
      told(async () => {
        const limit = limited(mcpReq.signal, timeout_sec);
        const { wait = false, interrupt = false } = options;
        const found = await coi.session(name);
        return withinLimit(limit, (signal) => found.send(text, { wait, interrupt, signal }));
      }),
  );
  server.registerTool(
    'answer_question',
    {
      title: 'Answer a question of an agent',
      description:
        'Answers a question that session_status shows, by its id. A permission lets the agent do what the question shows: answer it as the user would, and ask the user if in doubt. If the question is no longer open, nothing is answered (ask-gone).',
      inputSchema: z.object({
        session,
        ask: z.string().min(1).max(100).describe('the id of the question'),
        options: z
          .array(z.string().max(200))
          .max(8)
          .optional()
          .describe('ids or labels, one for each question of the call; yes or no'),
        text: z.string().max(textMax).optional().describe('in place of an option, or why not'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    ({ session: name, ask, options, text }) =>
      told(async () => {
        const choice = { ...(options && { options }), ...(text !== undefined && { text }) };
        await (await coi.session(name)).answer(ask, choice);
        return { answered: ask };
      }),
  );
  server.registerTool(
    'run_command',
    {
      title: 'Run a command in a session',
      description:
        'Runs a bash command line in the container of a session, next to its agent, as the agent’s user in the workspace. Each output is cut at 64 KiB.',
      inputSchema: z.object({
        session,
        command: z.string().min(1).max(textMax),
        cwd: z.string().max(4096).optional(),
        timeout_sec,
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
    },
    ({ session: name, command, cwd, timeout_sec = runSecondsDefault }, { mcpReq }) =>
      told(async () => {
        const limit = limited(mcpReq.signal, timeout_sec);
        const found = await coi.session(name);
        const options = { ...(cwd !== undefined && { cwd }), outputBytesMax };
        return withinLimit(limit, (signal) =>
          found.run(['bash', '-c', command], { ...options, signal }),
        );
      }),
  );
}

function addSessionTools(server: McpServer, coi: Coi): void {
  server.registerTool(
    'open_session',
    {
      title: 'Open a session',
      description:
        'Starts an agent in a container of its own, with the workspace mounted, in the background. Settings come from the configuration of the user and the project.',
      inputSchema: z.object({
        workspace: z.string().regex(/^\//).max(4096).describe('absolute path of a directory'),
        tool: z.string().max(50).optional().describe('claude, opencode, codex, …'),
        slot: z.number().int().min(1).max(99).optional(),
        persistent: z.boolean().optional().describe('keep the container when it stops'),
        resume: z
          .union([z.boolean(), z.string().max(100)])
          .optional()
          .describe('the newest saved session of the workspace, or one by its id'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false },
    },
    (input) =>
      told(async () => {
        const { workspace, tool, slot, persistent, resume } = input;
        const options: OpenOptions = {
          workspace,
          ...(tool !== undefined && { tool }),
          ...(slot !== undefined && { slot }),
          ...(persistent !== undefined && { persistent }),
          ...(resume !== undefined && { resume }),
        };
        // Not disposed of: that would end it.
        const { info } = await coi.open(options);
        return { session: info };
      }),
  );
  server.registerTool(
    'end_session',
    {
      title: 'End a session',
      description:
        'Shuts a session down and deletes its container. Its conversation is saved and can be resumed; what is only in the container is lost.',
      inputSchema: z.object({
        session,
        force: z.boolean().optional().describe('at once, without a graceful shutdown'),
      }),
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
    },
    ({ session: name, force = false }) =>
      told(async () => {
        await (await coi.session(name)).end({ force });
        return { ended: name };
      }),
  );
}
