// Reads the image in the user's clipboard with the desktop's clipboard program.
import { runProgramSync } from '../process/program.ts';

export type ClipboardImage =
  | { readonly kind: 'image'; readonly bytes: Buffer; readonly ending: string }
  /** No image; the clipboard has these types, or is empty. */
  | { readonly kind: 'none'; readonly types: readonly string[] }
  | { readonly kind: 'too-big' }
  /** Neither Wayland nor X11. */
  | { readonly kind: 'no-display' }
  | { readonly kind: 'no-program'; readonly program: string; readonly package: string };

/** Formats that agents accept, best first. */
const images = [
  ['image/png', 'png'],
  ['image/jpeg', 'jpg'],
  ['image/webp', 'webp'],
  ['image/gif', 'gif'],
] as const;
const answerMs = 10_000;
const typesMaxBytes = 64 * 1024;

interface ClipboardTool {
  readonly program: string;
  readonly package: string;
  readonly types: readonly string[];
  readonly content: (type: string) => readonly string[];
}

const wayland: ClipboardTool = {
  program: 'wl-paste',
  package: 'wl-clipboard',
  types: ['--list-types'],
  content: (type) => ['--no-newline', '--type', type],
};
const x11: ClipboardTool = {
  program: 'xclip',
  package: 'xclip',
  types: ['-selection', 'clipboard', '-target', 'TARGETS', '-out'],
  content: (type) => ['-selection', 'clipboard', '-target', type, '-out'],
};

export function clipboardImage(
  env: Readonly<Record<string, string | undefined>>,
  maxBytes: number,
): ClipboardImage {
  const ways = [...(env['WAYLAND_DISPLAY'] ? [wayland] : []), ...(env['DISPLAY'] ? [x11] : [])];
  const [first] = ways;
  if (!first) return { kind: 'no-display' };
  for (const way of ways) {
    const list = runTool(way.program, way.types, env, typesMaxBytes);
    if (list === 'missing') continue;
    const types = list === undefined || list === 'too-big' ? [] : lines(list);
    const found = images.find(([type]) => types.includes(type));
    if (!found) return { kind: 'none', types };
    const bytes = runTool(way.program, way.content(found[0]), env, maxBytes);
    if (bytes === 'too-big') return { kind: 'too-big' };
    // The clipboard may have changed meanwhile.
    if (!Buffer.isBuffer(bytes) || bytes.length === 0) return { kind: 'none', types: [] };
    return { kind: 'image', bytes, ending: found[1] };
  }
  return { kind: 'no-program', program: first.program, package: first.package };
}

/** Undefined if it failed, as both programs do for an empty clipboard. */
function runTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  maxBytes: number,
): Buffer | 'missing' | 'too-big' | undefined {
  const options = { cwd: '/', env, limitMs: answerMs, maxBytes };
  const { status, failure, stdout } = runProgramSync([program, ...args], options);
  if (failure === 'ENOENT') return 'missing';
  if (failure === 'ENOBUFS') return 'too-big';
  return status === 0 ? stdout : undefined;
}

function lines(text: Buffer): string[] {
  return text.toString('utf8').split('\n').filter(Boolean);
}
