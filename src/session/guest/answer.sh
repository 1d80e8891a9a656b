# Gives an answer to an agent: writes stdin to DIR/NAME.answer, which the agent's hook or plugin takes away, and waits for
# that. Status 0: it was taken. 3: nobody took it, and nobody will. 4: another answer is on its way. After DEADLINE (seconds
# since 1970) it does nothing: a container that was paused runs it when it goes on.
# usage: sh -c "$(cat answer.sh)" coi-answer DIR NAME DEADLINE [WAITING]
# WAITING: a file of whoever takes it, which is there as long as they wait.
[ "$(date +%s)" -le "$3" ] || exit 3
umask 077
answer=$1/$2.answer new=$1/.$2.$$
trap 'rm -f "$new" "$answer"; exit 3' HUP INT TERM
mkdir -p "$1" && cat >"$new" || exit 1
if ! ln "$new" "$answer"; then
  rm -f "$new"
  [ -e "$answer" ] && exit 4
  exit 1
fi
rm -f "$new"
left=50
while [ -e "$answer" ]; do
  # Whoever removes it first decides whether it counts.
  [ -z "$4" ] || [ -e "$4" ] || left=0
  [ "$left" -gt 0 ] || { rm "$answer" 2>/dev/null && exit 3; }
  left=$((left - 1))
  sleep 0.1
done
