// Turns tool calls of Claude Code that wait for the user into asks. Pure.
import type { Ask, AskOption } from './activity.ts';
import type { PendingCall } from './claude-transcript.ts';
import { cleanLine, cleanText } from './clean.ts';

const titleMax = 120;
const bodyMax = 4096;
const optionMax = 200;
const optionsMax = 12;
const questionsMax = 8;

/** The dialog that only the screen shows: a menu, a login, or a permission of a call that the transcript does not show. */
export function dialogAsk(waitingFor: string | undefined): Ask {
  const title =
    waitingFor === 'permission prompt'
      ? 'Claude Code asks for permission'
      : 'Claude Code shows a dialog';
  return { id: 'dialog', kind: 'dialog', title, options: [] };
}

export function isUserInput({ name }: PendingCall): boolean {
  return name === 'AskUserQuestion' || name === 'ExitPlanMode';
}

/** A call that runs as long as its sub-agent works. */
export function isDelegation({ name }: PendingCall): boolean {
  return name === 'Task' || name === 'Agent';
}

/** A call may hold several questions. */
export function asksOf(call: PendingCall): readonly Ask[] {
  if (call.name === 'AskUserQuestion') return questionsOf(call);
  if (call.name === 'ExitPlanMode')
    return [
      {
        id: call.id,
        kind: 'plan',
        title: 'Plan',
        ...bodyOf(textOf(call.input['plan'])),
        options: [],
      },
    ];
  return [
    {
      id: call.id,
      kind: 'permission',
      title: cleanLine(call.name, titleMax),
      ...bodyOf(aboutOf(call.input)),
      options: [
        { id: 'allow', label: 'Yes' },
        { id: 'deny', label: 'No' },
      ],
    },
  ];
}

function questionsOf({ id, input }: PendingCall): readonly Ask[] {
  const { questions } = input;
  const list = Array.isArray(questions) ? questions.slice(0, questionsMax) : [];
  const asks = list.flatMap((value: unknown, index): Ask[] => {
    const { question, options } = fieldsOf(value);
    if (typeof question !== 'string') return [];
    const given = Array.isArray(options) ? options.slice(0, optionsMax) : [];
    return [
      {
        id: index === 0 ? id : `${id}:${index + 1}`,
        kind: 'question',
        title: cleanLine(question, titleMax),
        ...(question.length > titleMax && bodyOf(question)),
        options: given.map((option, at) => optionOf(option, at)),
      },
    ];
  });
  return asks.length > 0 ? asks : [{ id, kind: 'question', title: 'Question', options: [] }];
}

function optionOf(value: unknown, index: number): AskOption {
  const { label, description } = fieldsOf(value);
  const note = textOf(description);
  return {
    id: String(index + 1),
    label: cleanLine(textOf(label), optionMax),
    ...(note !== '' && { note: cleanLine(note, optionMax) }),
  };
}

/** What the call is about: its command, file or address, otherwise all of its input. */
function aboutOf(input: PendingCall['input']): string {
  for (const key of ['command', 'file_path', 'url', 'query', 'pattern', 'path', 'notebook_path'])
    if (typeof input[key] === 'string') return input[key];
  if (Object.keys(input).length === 0) return '';
  try {
    return JSON.stringify(input);
  } catch {
    // Too deep.
    return '';
  }
}

function bodyOf(text: string): Pick<Ask, 'body' | 'truncated'> {
  if (text === '') return {};
  const { text: body, truncated } = cleanText(text, bodyMax);
  return { body, ...(truncated && { truncated }) };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
