# Starts the tool in tmux, or attaches to it, as the agent's user. Fed as `sh -c`, so everything secret comes on
# stdin: shell assignments, the arguments of the tool, and a last line `#coi-end`. Nothing of it is in any argv.
# usage: sh -c "$(cat start.sh)" coi-start SESSION WORKSPACE attach|background|direct
session=$1 workspace=$2 mode=$3
set --
if [ -t 0 ]; then
  # The terminal must neither echo what is handed over nor act on control characters in it.
  stty -icanon -echo -isig -ixon -icrnl
fi
printf 'coi-ready\n'
handed= whole=
while IFS= read -r line; do
  [ "$line" = '#coi-end' ] && whole=yes && break
  handed="$handed$line
"
done
# Incus may give up on an exec that it has started; then stdin ends early and nothing may be run.
[ "$whole" ] || exit 125
eval "$handed"
unset handed whole line
[ -t 0 ] && stty icanon echo isig ixon icrnl
cd "$workspace" 2>/dev/null || cd
if ! command -v tmux >/dev/null 2>&1; then
  [ "$mode" = background ] && { echo 'this image has no tmux, so nothing can run in the background' >&2; exit 127; }
  "$@"
  exec bash
fi
# systemd may mount or sweep /tmp while it boots; the directory of tmux's socket is kept out of that by its age only.
case $mode in
  direct) exec "$@" ;;
  background) exec tmux -u new-session -d -s "$session" -c "$workspace" -- bash -c 'trap : INT; "$@"; exec bash' coi "$@" ;;
  *) exec tmux -u new-session -A -s "$session" -c "$workspace" -- bash -c 'trap : INT; "$@"; exec bash' coi "$@" ;;
esac
