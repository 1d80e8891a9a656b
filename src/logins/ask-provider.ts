// Asks a provider for the account of a token. Pure except for the request.
import type { ServiceReply } from '../host/net/https-client.ts';
import { jsonIn, type Question } from './formats/login.ts';
import type { Answer } from './judge.ts';

export type AskService = (
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly limitMs: number },
) => Promise<ServiceReply>;

const limitMs = 5000;

/** `instead` replaces the server of every provider: `http://127.0.0.1:8080`. */
export function createAskProvider(service: AskService, instead: string | undefined) {
  return async (question: Question): Promise<Answer> => {
    const { pathname } = new URL(question.url);
    const url = instead === undefined ? question.url : new URL(pathname, instead).href;
    const answered = await service(url, { headers: question.headers, limitMs });
    return parseAnswer(question, answered);
  };
}

/** Only an answer about the token counts; one from a busy or broken provider is inconclusive. */
export function parseAnswer(question: Question, answered: ServiceReply): Answer {
  if (answered.kind === 'unreachable') return 'unreachable';
  const { status, body } = answered;
  const json = jsonIn(body);
  // A 403 in HTML comes from something in front of the provider.
  if (status === 401 || (status === 403 && json)) return 'refused';
  // An agent can choose a token that makes the provider answer with an error: this must not count as unreachable.
  if (status !== 200) return 'later';
  return (json && question.read(json)) ?? 'later';
}
