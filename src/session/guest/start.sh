# Starts the tool in tmux, or attaches to it, as the agent's user. The script is an argument of `sh -c`, so secrets come on
# stdin and never in argv: shell assignments, the tool's arguments, and a last line `#coi-end`.
# usage: sh -c "$(cat start.sh)" coi-start SESSION WORKSPACE direct
#        sh -c "$(cat start.sh)" coi-start SESSION WORKSPACE attach|background LOOK AGENT
# LOOK: tmux commands. AGENT: agent.sh; then the arguments on stdin are those of agent.sh.
# This script's own variables begin with coi_, so variables from stdin do not overwrite them.
coi_session=$1 coi_workspace=$2 coi_mode=$3 coi_look=$4 coi_agent=$5
set --
if [ -t 0 ]; then
  # The terminal must neither echo the input nor act on control characters in it.
  stty -icanon -echo -isig -ixon -icrnl
fi
printf 'coi-ready\n'
coi_handed= coi_whole=
while IFS= read -r coi_line; do
  [ "$coi_line" = '#coi-end' ] && coi_whole=yes && break
  coi_handed="$coi_handed$coi_line
"
done
# Incus may give up on an exec that it has started; then stdin ends early and nothing may be run.
[ "$coi_whole" ] || exit 125
eval "$coi_handed"
unset coi_handed coi_whole coi_line
[ -t 0 ] && stty icanon echo isig ixon icrnl
cd "$coi_workspace" 2>/dev/null || cd
# attach.sh takes the variables from this process; for a session in tmux it asks tmux.
if [ "$coi_mode" = direct ]; then
  { echo $$ >/tmp/coi-agent.pid; } 2>/dev/null
  exec "$@"
fi
if ! command -v tmux >/dev/null 2>&1; then
  [ "$coi_mode" = background ] && { echo 'this image has no tmux, so nothing can run in the background' >&2; exit 127; }
  exec bash -c "$coi_agent" coi-agent first "$@"
fi
# For tmux, a word ending in `;` would end the command.
for coi_word; do
  shift
  case $coi_word in *';') coi_word="${coi_word%;}\\;" ;; esac
  set -- "$@" "$coi_word"
done
# systemd may mount or sweep /tmp during boot; only its age protects the directory of tmux's socket.
[ "$coi_mode" = background ] && coi_how=-d || coi_how=-A
exec tmux -u new-session $coi_how -s "$coi_session" -c "$coi_workspace" -- bash -c "$coi_agent" coi-agent first "$@" \; \
  if-shell -F 1 "$coi_look"
