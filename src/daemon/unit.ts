// The systemd unit of coid. Pure.

/**
 * The unit's text for the program at that path. It has no option that makes a mount namespace (ProtectSystem,
 * PrivateTmp, ReadOnlyPaths, PrivateDevices and their like): mounts made in one would be invisible to incusd.
 * Nor RestrictSUIDSGID: its filter answers ENOSYS to openat2, with which sources are opened.
 */
export function coidUnit(programPath: string): string {
  return `[Unit]
Description=coid, the service that makes mounts, addresses and guards for coi's sessions
After=network.target incus.socket incus.service
Wants=incus.socket

[Service]
Type=notify
NotifyAccess=all
ExecStart=${quotedWord(programPath)} daemon run --log-file
Restart=on-failure
RestartSec=1
# Sessions and their mounts go on without coid.
KillMode=process
TimeoutStopSec=15
UMask=0077
MemoryMax=384M
TasksMax=128
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
CapabilityBoundingSet=${capabilities.join(' ')}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount setns clone clone3 unshare setfsuid setfsgid setgroups fanotify_init fanotify_mark
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** What each is for: mounts; opening sources as their user; maps of user namespaces; directories and groups of its own; incusd's namespace; the guard. */
const capabilities = [
  'CAP_SYS_ADMIN',
  'CAP_SETUID',
  'CAP_SETGID',
  'CAP_SETFCAP',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_CHOWN',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SYS_PTRACE',
  'CAP_NET_ADMIN',
  'CAP_NET_BIND_SERVICE',
];

/** A word of ExecStart (systemd.service(5), "Command lines"). */
function quotedWord(path: string): string {
  return /^[A-Za-z0-9/._-]+$/.test(path)
    ? path
    : `"${path.replace(/["\\]/g, '\\$&').replace(/%/g, '%%').replace(/\$/g, '$$$$')}"`;
}
