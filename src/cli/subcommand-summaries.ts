// Summaries of the subcommands, so that completion does not load a command at every Tab.
// Each text equals that of the command itself (subcommand-summaries.test.ts).

export const subcommandSummaries = {
  snapshot: {
    create: 'create a snapshot of the container and its conversation',
    list: 'list snapshots',
    restore: 'restore the container and its conversation from a snapshot',
    delete: 'delete a snapshot',
    info: 'show one snapshot',
  },
  login: {
    list: 'list the shared logins, and the sessions that use a different one',
    take: "use a session's login on the host and in all sessions",
  },
  network: {
    show: 'show the mode and its rules',
    log: 'list what was refused in the last 15 minutes, and by which rule',
    why: 'show which rule applies to a host, and how to allow it',
    allow: 'allow a host, *.host, address or network temporarily, with optional :ports',
  },
  hosts: {
    add: 'add names for a host and allow access to it, for a week at most',
    list: 'list the added hosts',
    remove: 'remove entries (their network permits expire on their own)',
  },
  ports: {
    list: 'list the ports that are forwarded to the session',
    add: "forward a port of this host's 127.0.0.1 to the session, until it ends",
    remove: 'stop forwarding a port',
  },
  daemon: {
    run: 'run coid in the foreground (as root) until it is interrupted',
    start: 'start coid in the background and wait until it answers',
    stop: 'stop coid; sessions and their mounts are kept',
    status: 'show whether coid is running, and what it manages',
    logs: "show the end of coid's log",
  },
  build: { custom: 'build an image from another one with a script' },
  image: {
    list: 'list images',
    publish: 'publish a container as an image (stops and deletes the container)',
    delete: 'delete an image',
    exists: 'exit with 0 if the image exists, else with 1',
    info: 'show one image',
    cleanup: 'delete old versions (PREFIX-YYYYMMDD-HHMMSS) of an image',
  },
  config: {
    show: 'print the effective configuration and where each value comes from',
    schema: 'print the JSON Schema of configuration files',
  },
  profile: {
    list: 'list the profiles',
    info: 'print the values of a profile, including inherited ones',
    create: 'create a profile; with the name default, create a starter configuration',
    edit: 'open a profile in $VISUAL, $EDITOR or vi, then validate it',
    delete: 'delete a profile',
  },
  schema: {
    profile: "print the schema of a profile's config.toml",
    config: 'print the schema of configuration files',
  },
  container: {
    launch: 'create and start a container from an image',
    start: 'start a stopped container',
    stop: 'stop a container',
    delete: 'delete a container',
    exec: 'run a command in a container, as root by default',
    exists: 'exit with 0 if the container exists, else with 1',
    running: 'exit with 0 if the container is running, else with 1',
    mount: 'mount a directory of the host into a container',
    list: 'list all containers',
    info: 'show one container',
  },
  file: {
    push: 'copy a file or directory into a container',
    pull: 'copy a file or directory out of a container',
  },
  tmux: {
    send: 'type text and Enter, or press keys',
    capture: 'print the visible screen',
    list: 'list running sessions',
  },
  tool: { spec: 'print the command, environment and prompt of an agent as JSON' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
