# Runs one command as the agent's user; its environment and arguments come on stdin before a line `#coi-end`,
# what follows on stdin is the command's own (read takes one byte at a time, so nothing of that is lost).
# On a terminal it says `coi-ready` first: what is handed over must be neither echoed nor acted on.
# usage: sh -c "$(cat run.sh)" coi-run WORKSPACE
cd "$1" || exit 126
set --
if [ -t 0 ]; then
  stty -icanon -echo -isig -ixon -icrnl
  printf 'coi-ready\n'
fi
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
exec "$@"
