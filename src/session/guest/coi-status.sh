#!/bin/sh
# Says what an agent does: writes one file per agent process, which coi reads from the session store on the host.
# Any program may call it. Without $COI_STATUS_DIR it does nothing.
# usage: coi-status [--pid N] [--hook] working | idle [finished|interrupted|failed] | asks [TITLE [BODY]]
# --pid: the agent's process; else $COI_AGENT_PID, else the parent.
# --hook: for an agent's hook that gets JSON on stdin, which is passed on whole: the host reads the details from it. Prints
# nothing and never fails, since both would disturb the agent.
LC_ALL=C
coi_titleMax=256 coi_bodyMax=2048 coi_hookMax=49152
coi_hook= coi_status= coi_more= coi_json=
coi_pid=${COI_AGENT_PID:-$PPID}
coi_newline='
'
coi_tab=$(printf '\t')

# An error of the shell itself must not reach the agent either: to some, 2 means that the hook forbids what they are about to do.
trap '[ -z "$coi_hook" ] || exit 0' EXIT
coi_leave() {
  [ "$coi_hook" ] && exit 0
  echo "coi-status: $1" >&2
  exit 2
}
# Sets coi_text to $1 as the inside of a JSON string of at most $2 bytes of $1. Other control characters are dropped. Bytes that
# are no UTF-8 stay: the reader replaces them.
coi_escape() {
  coi_rest=$1 coi_text=
  [ ${#coi_rest} -le "$2" ] || coi_rest=$(printf "%.$2s" "$coi_rest")
  while :; do
    coi_plain=${coi_rest%%[\\\"[:cntrl:]]*}
    coi_text=$coi_text$coi_plain
    [ ${#coi_plain} -lt ${#coi_rest} ] || return 0
    coi_rest=${coi_rest#"$coi_plain"}
    case $coi_rest in
      \\*) coi_text=$coi_text\\\\ ;;
      \"*) coi_text=$coi_text\\\" ;;
      "$coi_newline"*) coi_text=$coi_text\\n ;;
      "$coi_tab"*) coi_text=$coi_text\\t ;;
    esac
    coi_rest=${coi_rest#?}
  done
}
# Sets coi_start to what tells this process from a later one with the same id: field 22 of its stat.
coi_findStart() {
  coi_line=
  while IFS= read -r coi_last || [ "$coi_last" ]; do coi_line=$coi_last; done <"/proc/$1/stat" || return 1
  # The name before it may contain anything.
  set -- ${coi_line##*) }
  coi_start=${20}
  [ "$coi_start" ]
} 2>/dev/null

while :; do
  case $1 in
    --pid)
      [ $# -gt 1 ] || coi_leave '--pid needs a process id'
      coi_pid=$2
      shift
      ;;
    --hook) coi_hook=yes ;;
    *) break ;;
  esac
  shift
done
# Read it even if nothing is written, or the agent fails to write it.
[ -z "$coi_hook" ] || coi_json=$(cat 2>/dev/null)
[ "$COI_STATUS_DIR" ] || exit 0
case $coi_pid in '' | *[!0-9]*) coi_leave 'the process id is no number' ;; esac
coi_findStart "$coi_pid" || coi_leave "there is no process $coi_pid"
IFS= read -r coi_comm <"/proc/$coi_pid/comm" 2>/dev/null
coi_escape "$coi_comm" "$coi_titleMax" && coi_comm=$coi_text
coi_now=$(date +%s%3N)
# Without GNU's date there are no milliseconds.
case $coi_now in *[!0-9]*) coi_now=$(date +%s)000 ;; esac
case $1 in
  working) coi_status=busy ;;
  idle)
    coi_status=idle
    case $2 in
      '') ;;
      finished | interrupted | failed) coi_more=",\"end\":\"$2\"" ;;
      *) coi_leave "unknown end: $2" ;;
    esac
    ;;
  asks)
    coi_status=waiting
    [ "$coi_hook" ] && coi_kind=permission || coi_kind=question
    coi_escape "$2" "$coi_titleMax" && coi_title=$coi_text
    coi_escape "$3" "$coi_bodyMax"
    coi_more=",\"asks\":[{\"id\":\"$coi_now-$$\",\"kind\":\"$coi_kind\",\"title\":\"$coi_title\",\"body\":\"$coi_text\",\"options\":[]}]"
    ;;
  *) coi_leave 'usage: coi-status [--pid N] [--hook] working | idle [finished|interrupted|failed] | asks TITLE [BODY]' ;;
esac
coi_conversation=
case $coi_json in
  '{'*'}')
    # The first such key is the agent's own: it comes before what a user or a model wrote, in which quotes are escaped.
    case $coi_json in
      *'"session_id":"'*)
        coi_conversation=${coi_json#*'"session_id":"'}
        coi_conversation=${coi_conversation%%\"*}
        ;;
    esac
    case $coi_conversation in *[!A-Za-z0-9_-]*) coi_conversation= ;; esac
    [ ${#coi_json} -gt "$coi_hookMax" ] || coi_more="$coi_more,\"hook\":$coi_json"
    ;;
esac
umask 077
coi_file=$COI_STATUS_DIR/$coi_pid.json
coi_new=$COI_STATUS_DIR/.$coi_pid.$$
{
  { [ -d "$COI_STATUS_DIR" ] || mkdir -p "$COI_STATUS_DIR"; } &&
    printf '{"v":1,"pid":%s,"comm":"%s","start":"%s","conversation":"%s","status":"%s","since":%s%s}\n' \
      "$coi_pid" "$coi_comm" "$coi_start" "$coi_conversation" "$coi_status" "$coi_now" "$coi_more" >"$coi_new" &&
    mv -f "$coi_new" "$coi_file"
} 2>/dev/null || coi_leave "$coi_file cannot be written"
