// One question to a service of the internet, with a short limit.

export type Answered =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'unreachable' };

const bodyMaxChars = 1_000_000;

/** Follows no redirection: the headers may hold a token. */
export async function askService(
  url: string,
  { headers, limitMs }: { headers: Readonly<Record<string, string>>; limitMs: number },
): Promise<Answered> {
  let status: number | undefined;
  try {
    const response = await fetch(url, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(limitMs),
    });
    status = response.status;
    let body = '';
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(
      new TextDecoderStream(),
    )) {
      body += text;
      if (body.length > bodyMaxChars) return { kind: 'answered', status, body: '' };
    }
    return { kind: 'answered', status, body };
  } catch {
    // Half an answer is one that says nothing, not a service that is away.
    return status === undefined ? { kind: 'unreachable' } : { kind: 'answered', status, body: '' };
  }
}
