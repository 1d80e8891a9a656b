# Runs one command as the agent's user. Its environment and arguments come on stdin before a line `#coi-end`; the rest of
# stdin belongs to the command (read takes one byte at a time, so nothing is lost).
# It prints `coi-ready` first: before that Incus may not have run anything, and a terminal would echo the input.
# usage: sh -c "$(cat run.sh)" coi-run WORKSPACE
workspace=$1
set --
if [ -t 0 ]; then
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
cd "$workspace" || exit 126
eval "$handed"
unset handed whole line workspace
[ -t 0 ] && stty icanon echo isig ixon icrnl
exec "$@"
