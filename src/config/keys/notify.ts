// [notify]: how the user is told what sessions do.
import { noticeKinds } from '../../attention/notices/notice-queue.ts';
import { terminalNoticeKinds } from '../../attention/notices/terminal-notice.ts';
import { list, optional, required, table } from './compound.ts';
import { key, optionalKey } from './key.ts';
import {
  choice,
  flag,
  integer,
  nonEmpty,
  path,
  text,
  ValueProblem,
  type ValueType,
} from './values.ts';

/** An address to which the text of sessions may be sent: encrypted, or on this host. */
const serviceUrl: ValueType<string> = {
  schema: { type: 'string', format: 'uri' },
  parse: (value) => {
    const url = typeof value === 'string' ? URL.parse(value) : null;
    if (!url || !['https:', 'http:'].includes(url.protocol))
      throw new ValueProblem('must be an address such as "https://host/path"');
    if (url.protocol === 'http:' && !isLoopback(url.hostname))
      throw new ValueProblem('must begin with https://, unless it is on this host');
    if (url.username !== '' || url.password !== '')
      throw new ValueProblem('must not contain a user name or a password');
    return url.href;
  },
};

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const topic = nonEmpty(text(/^[A-Za-z0-9_-]{1,64}$/, 'a topic: letters, digits, _ and -'));

export const notifyKeys = {
  'notify.on': key(
    list(choice(...noticeKinds)),
    noticeKinds,
    'Which changes of a session you are told: it asks, its agent has finished its turn, it was paused by the monitor, its agent has exited.',
    { trust: 'user' },
  ),
  'notify.command': key(
    list(nonEmpty(text())),
    [],
    'Program and arguments to run on the host, also when a session is paused or killed by the monitor.',
    { trust: 'user' },
  ),
  'notify.desktop': key(flag, true, "Show notices on the host's desktop (notify-send).", {
    trust: 'user',
  }),
  'notify.terminal': key(
    choice(...terminalNoticeKinds),
    'auto',
    'How a terminal that is attached to another session shows a notice: an escape sequence that it knows, or only its bell.',
    { trust: 'user' },
  ),
  'notify.webhook': optionalKey(serviceUrl, 'Address to which notices are sent as JSON (POST).', {
    trust: 'user',
  }),
  'notify.ntfy': optionalKey(
    table({ url: required(serviceUrl), topic: required(topic), token_file: optional(path()) }),
    'Server and topic of ntfy to which notices are sent; the file contains an access token.',
    { trust: 'user', merge: 'replace' },
  ),
  'notify.body': key(
    choice('none', 'title', 'full'),
    'title',
    'What a notice contains: nothing but the name of the session, the question, or also the command and the last words.',
    { trust: 'user' },
  ),
  'notify.quiet_if_attached': key(
    flag,
    true,
    'No notice about a session that you are looking at: in a terminal that has the focus, or in which you have just typed.',
    { trust: 'user' },
  ),
  'notify.delay_sec': key(
    integer(0, 3600),
    3,
    'Seconds that a state must last before you are told.',
    { trust: 'user', merge: 'replace' },
  ),
  'notify.per_minute': key(integer(1, 60), 6, 'Notices per minute and session.', {
    trust: 'user',
  }),
} as const;
