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
handed=
while IFS= read -r line; do
  [ "$line" = '#coi-end' ] && break
  handed="$handed$line
"
done
eval "$handed"
unset handed line
[ -t 0 ] && stty icanon echo isig ixon icrnl
exec "$@"
