// What the subcommands do, for completion: it is asked for at every Tab, and loads no command to find out.
// Each text is that of the command itself (subcommand-summaries.test.ts).

export const below = {
  snapshot: {
    create: 'keep the container and its conversation as they are now',
    list: 'list snapshots',
    restore: 'make the container and its conversation what they were',
    delete: 'delete a snapshot',
    info: 'show one snapshot',
  },
  login: {
    list: 'list the logins, and sessions that have another one',
    take: "make the login of a session the user's, for the host and all sessions",
  },
  network: {
    show: 'show the mode and its rules',
    log: 'show what was refused in the last quarter of an hour, with the rule',
    why: 'say which rule decides about a host, and what permits it',
    allow: 'open a host, *.host, address or network, with optional :ports, for a while',
  },
  hosts: {
    add: 'let the session find and reach a host by these names, for a week at most',
    list: 'list what was added',
    remove: 'take names or addresses away again; what was opened ends by itself',
  },
  ports: {
    list: 'list the ports that lead into the session',
    add: "let a port of this host's 127.0.0.1 lead into the session, until it ends",
    remove: 'take a port away again',
  },
  daemon: {
    run: 'run coid in the foreground (as root) until it is interrupted',
    start: 'start coid in the background and wait until it answers',
    stop: 'end coid; sessions and their mounts stay',
    status: 'show whether coid answers, and what it looks after',
    logs: "show the end of coid's log",
  },
  build: { custom: 'build an image on top of another with a script' },
  image: {
    list: 'list images',
    publish: 'make an image of a container, which is stopped and deleted',
    delete: 'delete an image',
    exists: 'exit with 0 if there is such an image, else with 1',
    info: 'show one image',
    cleanup: 'delete the oldest versions (…-YYYYMMDD-HHMMSS) of a prefix',
  },
  config: {
    show: 'print every value that is in force, and where it comes from',
    schema: 'print the JSON Schema of configuration files',
  },
  profile: {
    list: 'list the profiles',
    info: 'print what a profile comes to, with all that it inherits',
    create: 'make a profile, or with the name default a configuration to begin with',
    edit: 'open it in $VISUAL, $EDITOR or vi, and check it afterwards',
    delete: 'delete it',
  },
  schema: {
    profile: 'print the schema of the config.toml of a profile',
    config: 'print the schema of configuration files',
  },
  container: {
    launch: 'make and start a container of an image',
    start: 'start a stopped container',
    stop: 'stop a container',
    delete: 'delete a container',
    exec: 'run a command inside, as root unless told otherwise',
    exists: 'exit with 0 if there is such a container, else with 1',
    running: 'exit with 0 if the container runs, else with 1',
    mount: 'add a directory of the host',
    list: 'list all containers',
    info: 'show one container',
  },
  file: {
    push: 'copy a file or directory into a container',
    pull: 'copy a file or directory out of a container',
  },
  tmux: {
    send: 'type a text and Enter, or press keys',
    capture: 'print what is on the screen',
    list: 'list the sessions that run',
  },
  tool: { spec: 'print command, environment and prompt of the agent as JSON' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
