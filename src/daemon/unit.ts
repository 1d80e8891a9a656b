// The systemd unit of coid. Pure.

/**
 * The text of the unit for a program path. No option may create a mount namespace (ProtectSystem, PrivateTmp,
 * ReadOnlyPaths, PrivateDevices and others): incusd would not see mounts made in it. Nor RestrictSUIDSGID: its filter
 * returns ENOSYS for openat2, which opens mount sources.
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
# Sessions and their mounts outlive coid.
KillMode=process
TimeoutStopSec=15
UMask=0077
MemoryMax=4G
TasksMax=2048
OOMPolicy=continue
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

/** For mounts; opening sources as their user; user namespace maps; its own directories and groups; incusd's namespace; the guard. */
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
