// One HTTPS request to a service on the internet, with a short timeout.

export type ServiceReply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'unreachable' };

const bodyMaxChars = 1_000_000;

/** Follows no redirects: the headers may contain a token. */
export async function requestService(
  url: string,
  { headers, limitMs }: { headers: Readonly<Record<string, string>>; limitMs: number },
): Promise<ServiceReply> {
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
    // A partial reply counts as an empty one: the service is reachable.
    return status === undefined ? { kind: 'unreachable' } : { kind: 'answered', status, body: '' };
  }
}
