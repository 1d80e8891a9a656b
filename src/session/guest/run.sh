# Runs one command as the agent's user; its environment and arguments come on stdin before a line `#coi-end`,
# what follows on stdin is the command's own (read takes one byte at a time, so nothing of that is lost).
# usage: sh -c "$(cat run.sh)" coi-run WORKSPACE
cd "$1" || exit 126
set --
handed=
while IFS= read -r line; do
  [ "$line" = '#coi-end' ] && break
  handed="$handed$line
"
done
eval "$handed"
unset handed line
exec "$@"
