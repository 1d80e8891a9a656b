// What a provider's answer says about whose a token is. Pure but for the question itself.
import type { ServiceReply } from '../host/net/https-client.ts';
import { jsonIn, type Question } from './formats/login.ts';
import type { Answer } from './judge.ts';

export type AskService = (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly limitMs: number },
) => Promise<ServiceReply>;

const limitMs = 5000;

/** `instead` answers in the place of all providers: `http://127.0.0.1:8080`. */
export function createAskProvider(service: AskService, instead: string | undefined) {
  return async (question: Question): Promise<Answer> => {
    const { pathname } = new URL(question.url);
    const url = instead === undefined ? question.url : new URL(pathname, instead).href;
    const answered = await service(url, { headers: question.headers, limitMs });
    return parseAnswer(question, answered);
  };
}

/** Only what the provider says of the token counts: when it is busy or broken it has said nothing. */
export function parseAnswer(question: Question, answered: ServiceReply): Answer {
  if (answered.kind === 'unreachable') return 'unreachable';
  const { status, body } = answered;
  const json = jsonIn(body);
  // A 403 may come from something before the provider, which says it in HTML.
  if (status === 401 || (status === 403 && json)) return 'refused';
  // An agent can choose a token that makes the provider answer with an error: that must not count as no connection.
  if (status !== 200) return 'later';
  return (json && question.read(json)) ?? 'later';
}
