// Errors about sessions whose agents cannot be waited for or sent a message.
import type { Activity } from '../../attention/activity.ts';
import { activityWord, asksLine } from '../../attention/activity-text.ts';
import { CoiError } from '../../errors.ts';

export function waitError(
  name: string,
  why: 'ended' | 'paused' | 'unknown',
  activity: Activity,
): CoiError {
  switch (why) {
    case 'ended':
      return new CoiError(
        'session-ended',
        activity.kind === 'exited'
          ? `the agent in ${name} has exited`
          : `session ${name} has ended (${activityWord(activity)})`,
        { hint: `Run \`coi attach ${name}\` to see what runs there, or \`coi list\`.` },
      );
    case 'paused':
      return new CoiError('session-paused', `session ${name} is paused`, {
        hint: `Run \`coi unfreeze ${name}\` to resume it.`,
      });
    case 'unknown':
      return new CoiError('status-unknown', `coi cannot tell what the agent in ${name} does`, {
        hint: `Run \`coi tmux capture ${name}\` to see its screen.`,
      });
  }
}

/** `outcome`: what became of the message, ending in a colon. */
export function asksError(name: string, activity: Activity, outcome = ''): CoiError {
  const about = `the agent in ${name} asks: ${asksLine(activity)}`;
  return new CoiError('session-asks', outcome === '' ? about : `${outcome} ${about}`, {
    hint: `Run \`coi answer ${name}\` to answer, or \`coi attach ${name}\`.`,
  });
}

export function noAgentTerminal(name: string): CoiError {
  return new CoiError('session-ended', `nothing was sent: no agent in ${name} has a terminal`, {
    hint: `Run \`coi attach ${name}\` to see what runs there.`,
  });
}

export function unconfirmed(name: string): CoiError {
  return new CoiError(
    'send-unconfirmed',
    `the message was typed, but the agent in ${name} has not confirmed it`,
    { hint: `Run \`coi tmux capture ${name}\` to see its screen; do not send it twice.` },
  );
}

/** For what only the terminal of the agent can answer. */
export function notAnswerable(name: string): CoiError {
  return new CoiError('ask-not-answerable', `coi cannot answer this in ${name}`, {
    hint: `Run \`coi attach ${name}\` to answer.`,
  });
}

export function answeredElsewhere(name: string): CoiError {
  return new CoiError('ask-gone', `the question of the agent in ${name} was already answered`, {
    hint: 'Run `coi list` to see what your agents do.',
  });
}

export function notShown(name: string): CoiError {
  return new CoiError(
    'ask-not-answerable',
    `nothing was typed: the screen of the agent in ${name} does not show this question`,
    { hint: `Run \`coi attach ${name}\` to answer.` },
  );
}
