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
  try {
    const response = await fetch(url, {
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(limitMs),
    });
    let body = '';
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(
      new TextDecoderStream(),
    )) {
      body += text;
      if (body.length > bodyMaxChars) return { kind: 'unreachable' };
    }
    return { kind: 'answered', status: response.status, body };
  } catch {
    return { kind: 'unreachable' };
  }
}
