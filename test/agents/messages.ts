// Answers of a model provider, streamed or whole: they echo the input or ask for a command to be run.
// Source of the shapes: https://docs.anthropic.com/en/api/messages-streaming.
import type { ServerResponse } from 'node:http';
import type { AgentRequest, Message } from './provider-protocol.ts';

interface Request {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly name: string }[];
}

/** Answers a request of the Messages API and echoes its input. */
export function answerMessages(
  text: string,
  response: ServerResponse,
): Omit<AgentRequest, 'kind' | 'key'> {
  const body = JSON.parse(text) as Request;
  const received = {
    model: body.model,
    // Requests for titles and summaries have no tools.
    hasTools: (body.tools?.length ?? 0) > 0,
    messages: body.messages
      .filter(({ role }) => role === 'user' || role === 'assistant')
      .map((message) => ({ role: message.role, text: textOf(message) })),
  };
  const said = received.messages.findLast(({ role }) => role === 'user')?.text ?? '';
  // Agents join messages that were not answered: only the last one counts.
  const words = said.split('\n').at(-1)?.trim() ?? '';
  const reply = `I heard ${words}.`;
  const calls = body.stream && body.tools ? toolCalls(words, body.tools) : [];
  const [, delay = '0'] = /^please take (\d+) ms$/m.exec(words) ?? [];
  if (/^please fail$/m.test(words)) fail(response);
  else if (calls.length > 0) stream(response, body.model, calls, 'tool_use');
  else if (body.stream)
    setTimeout(() => stream(response, body.model, [textBlock(reply)]), Number(delay));
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ ...start(body.model), content: [{ type: 'text', text: reply }] }),
    );
  }
  return received;
}

/** The user's text without what agents add (reminders, contexts). */
function textOf({ content }: Message): string {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return blocks
    .filter(({ type }) => type === 'text')
    .map(({ text }) => (text ?? '').replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, ''))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n');
}

function start(model: string) {
  return {
    id: `msg_${Math.random().toString(36).slice(2)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [] as unknown[],
    stop_reason: 'end_turn' as string | null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  };
}

interface Block {
  readonly start: object;
  readonly deltas: readonly object[];
}

function textBlock(text: string): Block {
  return {
    start: { type: 'text', text: '' },
    deltas: text.split(/(?<= )/).map((word) => ({ type: 'text_delta', text: word })),
  };
}

/** What the user's words make the model do; empty if it only answers. */
function toolCalls(words: string, tools: readonly { readonly name: string }[]): Block[] {
  const runCall = (command: string) =>
    toolCall(nameOf('Bash'), { command, description: 'What was asked for' });
  /** As this agent spells it: opencode has `bash`, `task` and `question`. */
  const nameOf = (...names: string[]) =>
    tools.find(({ name }) => names.some((known) => known.toLowerCase() === name.toLowerCase()))
      ?.name ?? '';
  const asked = (pattern: RegExp) => pattern.exec(words)?.[1];
  const command = asked(/^please run (.+)$/m);
  if (command !== undefined) return [runCall(command)];
  const twice = asked(/^please do both (.+)$/m)?.split(' and ');
  if (twice) return twice.map(runCall);
  const delegated = asked(/^please delegate (.+)$/m);
  if (delegated !== undefined)
    return [
      toolCall(nameOf('Task', 'Agent'), {
        description: 'Delegated',
        prompt: `please run ${delegated}`,
        subagent_type: nameOf('task') === 'task' ? 'general' : 'general-purpose',
      }),
    ];
  if (/^please ask me$/m.test(words))
    return [toolCall(nameOf('AskUserQuestion', 'question'), { questions })];
  // Several at once, such as [["Write", {"file_path": "/workspace/a", "content": "x"}]].
  const calls = asked(/^please call (\[\[.+\]\])$/m);
  if (calls !== undefined)
    return (JSON.parse(calls) as [string, object][]).map(([name, input]) =>
      toolCall(nameOf(name), input),
    );
  if (/^please ask me twice$/m.test(words))
    return [toolCall(nameOf('AskUserQuestion', 'question'), { questions: twoQuestions })];
  if (/^please plan$/m.test(words))
    return [toolCall('ExitPlanMode', { plan: '1. Measure.\n2. Cut.' })];
  return [];
}

const questions = [
  {
    question: 'Which colour shall the button have?',
    header: 'Colour',
    multiSelect: false,
    options: [
      { label: 'Red', description: 'A red one' },
      { label: 'Blue', description: 'A blue one' },
    ],
  },
];

const twoQuestions = [
  ...questions,
  {
    question: 'Which sizes shall there be?',
    header: 'Sizes',
    multiSelect: true,
    multiple: true,
    options: [
      { label: 'Small', description: 'Small ones' },
      { label: 'Large', description: 'Large ones' },
    ],
  },
];

function toolCall(name: string, input: object): Block {
  const id = `toolu_${Math.random().toString(36).slice(2)}`;
  return {
    start: { type: 'tool_use', id, name, input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(input) }],
  };
}

function fail(response: ServerResponse): void {
  const error = { type: 'invalid_request_error', message: 'the model refuses' };
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error }));
}

function stream(
  response: ServerResponse,
  model: string,
  blocks: readonly Block[],
  reason: 'end_turn' | 'tool_use' = 'end_turn',
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const event = (type: string, more: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', { message: { ...start(model), stop_reason: null } });
  for (const [index, { start: block, deltas }] of blocks.entries()) {
    event('content_block_start', { index, content_block: block });
    for (const delta of deltas) event('content_block_delta', { index, delta });
    event('content_block_stop', { index });
  }
  event('message_delta', {
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: 5 },
  });
  event('message_stop', {});
  response.end();
}
