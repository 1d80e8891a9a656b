# Prints what is reachable from inside, one line each: `address A`, `connected`, `reached HOST:PORT`.
# usage: sh -c "$(cat probe.sh)" coi-probe NAME HOST:PORT...
reach() { timeout "$1" bash -c ': <>"/dev/tcp/$0/$1"' "$2" "$3" 2>/dev/null; }
name=$1
shift
for target; do
  { reach 3 "${target%:*}" "${target##*:}" && echo "reached $target"; } &
done
set -- $(timeout 10 getent ahostsv4 "$name")
if [ "$1" ]; then
  echo "address $1"
  reach 10 "$name" 443 && echo connected
fi
wait
