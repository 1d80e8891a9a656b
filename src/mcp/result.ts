// What the tools return: JSON as text and as structured content, and errors with their code and hint.
import type { CallToolResult } from '@modelcontextprotocol/server';

/** The result of a tool call. */
export async function told(
  act: () => Promise<Readonly<Record<string, unknown>>>,
): Promise<CallToolResult> {
  try {
    return jsonResult(await act());
  } catch (error) {
    return errorResult(error);
  }
}

function jsonResult(value: Readonly<Record<string, unknown>>): CallToolResult {
  return {
    content: [{ type: 'text', text: JSON.stringify(value) }],
    structuredContent: { ...value },
  };
}

/** An expected error (errors.ts) has a code and a hint; they are told as they are. */
function errorResult(error: unknown): CallToolResult {
  const { code, hint, message } = error as {
    readonly code?: string;
    readonly hint?: string;
    readonly message?: string;
  };
  const lines = [
    `Error${code === undefined ? '' : ` (${code})`}: ${message ?? String(error)}`,
    ...(hint === undefined ? [] : [`Hint: ${hint}`]),
  ];
  return { content: [{ type: 'text', text: lines.join('\n') }], isError: true };
}
