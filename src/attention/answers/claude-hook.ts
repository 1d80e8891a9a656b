// Answers questions and plans of Claude Code through its hook PermissionRequest: session/guest/claude-ask.sh passes on what
// the hook gets and prints what coi answers. Source: https://code.claude.com/docs/en/hooks; that a tool which needs the user is
// allowed only with `updatedInput` was seen in 2.1.332. Pure.
import type { PendingCall } from '../claude/transcript.ts';
import { fieldsOf, listOf, textOf } from '../fields.ts';
import type { Answer } from './choice.ts';

/** A hook that waits for an answer. */
export interface WaitingHook {
  /** Of its files, without suffix. */
  readonly name: string;
  readonly conversation: string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Undefined if the text is not what Claude Code gives to the hook. */
export function parseWaitingHook(name: string, text: string): WaitingHook | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const hook = fieldsOf(value);
  if (hook['hook_event_name'] !== 'PermissionRequest') return undefined;
  return {
    name,
    conversation: textOf(hook['session_id']),
    tool: textOf(hook['tool_name']),
    input: fieldsOf(hook['tool_input']),
  };
}

/**
 * The hook that waits for this call. It does not know the call's id: its conversation, its tool and what it asks tell.
 * Undefined if there is none, or more than one.
 */
export function hookOf(
  hooks: readonly WaitingHook[],
  conversation: string,
  { name, input }: PendingCall,
): WaitingHook | undefined {
  const [found, ...others] = hooks.filter(
    (hook) =>
      hook.conversation === conversation && hook.tool === name && asksTheSame(hook.input, input),
  );
  return others.length === 0 ? found : undefined;
}

/** Claude Code completes the model's input, and leaves out what it does not know, such as a plan that is in no file. */
function asksTheSame(hook: WaitingHook['input'], call: PendingCall['input']): boolean {
  return (
    (hook['plan'] === undefined || hook['plan'] === call['plan']) &&
    questionsText(hook) === questionsText(call)
  );
}

function questionsText({ questions }: WaitingHook['input']): string {
  return JSON.stringify(
    listOf(questions).map(({ question, header, multiSelect, options }) => [
      ...[question, header, multiSelect === true],
      listOf(options).map(({ label, description }) => [label, description]),
    ]),
  );
}

function labelOf({ label }: Readonly<Record<string, unknown>>): string {
  return textOf(label);
}

/** What the hook prints, as JSON; undefined if it cannot give this answer. */
export function hookOutput({ input }: WaitingHook, answer: Answer): string | undefined {
  const decision =
    answer.kind === 'decision' ? planDecision(input, answer) : questionDecision(input, answer);
  return (
    decision &&
    JSON.stringify({ hookSpecificOutput: { hookEventName: 'PermissionRequest', decision } })
  );
}

function planDecision(
  input: WaitingHook['input'],
  { option, text }: Answer & { readonly kind: 'decision' },
): object {
  if (option === 'yes') return { behavior: 'allow', updatedInput: input };
  // Without a reason the agent stops, as after the dialog's "No".
  return text === undefined
    ? { behavior: 'deny', message: 'The user rejects this plan.', interrupt: true }
    : { behavior: 'deny', message: text };
}

/** Labels as the agent wrote them: those of the ask may be shorter. */
function questionDecision(
  input: WaitingHook['input'],
  { answers }: Answer & { readonly kind: 'answers' },
): object | undefined {
  const questions = listOf(input['questions']);
  if (questions.length !== answers.length) return undefined;
  const given = questions.map(({ question, options }, index): [string, string] | undefined => {
    const labels = listOf(options).map(labelOf);
    const { options: chosen = [], text } = answers[index] ?? {};
    const words = chosen.map((id) => labels[Number(id) - 1]);
    if (typeof question !== 'string' || words.includes(undefined)) return undefined;
    return [question, text ?? words.join(', ')];
  });
  const complete = given.filter((pair) => pair !== undefined);
  // Two questions with the same text cannot be told apart.
  if (new Set(complete.map(([question]) => question)).size !== questions.length) return undefined;
  const updatedInput = { ...input, answers: Object.fromEntries(complete) };
  return { behavior: 'allow', updatedInput };
}
