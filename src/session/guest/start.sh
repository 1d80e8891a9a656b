# Starts the tool in tmux, or attaches to it, as the agent's user. Fed as `sh -c`, so everything secret comes on
# stdin: shell assignments, the arguments of the tool, and a last line `#coi-end`. Nothing of it is in any argv.
# usage: sh -c "$(cat start.sh)" coi-start SESSION WORKSPACE direct
#        sh -c "$(cat start.sh)" coi-start SESSION WORKSPACE attach|background LOOK AGENT
# LOOK: commands of tmux; AGENT: agent.sh, whose arguments are handed over then.
# Whatever variables are handed over, none of them has a name of this script's.
coi_session=$1 coi_workspace=$2 coi_mode=$3 coi_look=$4 coi_agent=$5
set --
if [ -t 0 ]; then
  # The terminal must neither echo what is handed over nor act on control characters in it.
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
# attach.sh takes the variables from that process; of a session in tmux it asks tmux.
if [ "$coi_mode" = direct ]; then
  { echo $$ >/tmp/coi-agent.pid; } 2>/dev/null
  exec "$@"
fi
if ! command -v tmux >/dev/null 2>&1; then
  [ "$coi_mode" = background ] && { echo 'this image has no tmux, so nothing can run in the background' >&2; exit 127; }
  exec bash -c "$coi_agent" coi-agent first "$@"
fi
# A word with `;` at its end would be the end of a command for tmux.
for coi_word; do
  shift
  case $coi_word in *';') coi_word="${coi_word%;}\\;" ;; esac
  set -- "$@" "$coi_word"
done
# systemd may mount or sweep /tmp while it boots; the directory of tmux's socket is kept out of that by its age only.
[ "$coi_mode" = background ] && coi_how=-d || coi_how=-A
exec tmux -u new-session $coi_how -s "$coi_session" -c "$coi_workspace" -- bash -c "$coi_agent" coi-agent first "$@" \; \
  if-shell -F 1 "$coi_look"
