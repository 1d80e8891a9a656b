// Turns tool calls of Claude Code that wait for the user into asks. Pure.
import type { Ask } from '../activity.ts';
import { jsonText, listOf, textOf } from '../fields.ts';
import { makeAsk } from '../make-ask.ts';
import type { PendingCall } from './transcript.ts';

const questionsMax = 8;
const permissionOptions = [
  { id: 'allow', label: 'Yes' },
  { id: 'deny', label: 'No' },
];
const planOptions = [
  { id: 'yes', label: 'Yes' },
  { id: 'no', label: 'No, keep planning' },
];

/** The dialog that only the screen shows: a menu, a login, or a permission of a call that the transcript does not show. */
export function dialogAsk(waitingFor: string | undefined): Ask {
  const title =
    waitingFor === 'permission prompt'
      ? 'Claude Code asks for permission'
      : 'Claude Code shows a dialog';
  return { id: 'dialog', kind: 'dialog', title, options: [] };
}

export function isQuestion({ name }: PendingCall): boolean {
  return name === 'AskUserQuestion';
}

export function isPlan({ name }: PendingCall): boolean {
  return name === 'ExitPlanMode';
}

/** A call that runs as long as its sub-agent works. */
export function isDelegation({ name }: PendingCall): boolean {
  return name === 'Task' || name === 'Agent';
}

/** A call may hold several questions. */
export function asksOf(call: PendingCall): readonly Ask[] {
  const { id, name, input } = call;
  if (isQuestion(call)) return questionsOf(call);
  if (isPlan(call)) {
    const body = textOf(input['plan']);
    return [makeAsk({ id, kind: 'plan', title: 'Plan', body, options: planOptions })];
  }
  return [
    makeAsk({
      id,
      kind: 'permission',
      title: name,
      body: aboutOf(input),
      options: permissionOptions,
    }),
  ];
}

function questionsOf({ id, input }: PendingCall): readonly Ask[] {
  const { questions } = input;
  const list = listOf(questions).slice(0, questionsMax);
  const asks = list.flatMap(({ question, options, multiSelect }, index): Ask[] => {
    if (typeof question !== 'string') return [];
    return [
      makeAsk({
        id: index === 0 ? id : `${id}:${index + 1}`,
        kind: 'question',
        title: question,
        multiple: multiSelect === true,
        options: listOf(options).map(({ label, description }, at) => ({
          id: String(at + 1),
          label: textOf(label),
          note: textOf(description),
        })),
      }),
    ];
  });
  return asks.length > 0 ? asks : [{ id, kind: 'question', title: 'Question', options: [] }];
}

/** What the call is about: its command, file or address, otherwise all of its input. */
function aboutOf(input: PendingCall['input']): string {
  for (const key of ['command', 'file_path', 'url', 'query', 'pattern', 'path', 'notebook_path'])
    if (typeof input[key] === 'string') return input[key];
  return jsonText(input);
}
