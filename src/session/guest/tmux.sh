# Types into the tmux session of a container, prints its screen, or checks whether it exists. Status 3: no such session;
# 4: nothing was typed, because an agent's dialog is open, and Enter would choose its default; 5: the agent does not have
# the terminal; 6: the message was typed but not submitted, because a dialog has opened meanwhile.
# The input comes on stdin, never in argv: text (several lines are one paste), or key names, quoted for tmux.
# `paste` does not press Enter afterwards. `raw` ignores dialogs; `asks` knows that one is open, even if the screen does not
# look like it. `message` types for the agent with one of the PIDS (for any agent if there are none), in whatever pane that
# is, prints its pid and submits with KEYS, or with Enter.
# ID identifies one send request: if it is repeated, for example because Incus lost the first, nothing is typed twice.
# usage: sh -c "$(cat tmux.sh)" coi-tmux text|lines|paste|keys|capture|has SESSION [ID [raw|asks]]
# With STATUS, a directory of status files, the agent must say that it is idle, before the text and before Enter: then no
# dialog can open. Status 7: it does not say so, and nothing was typed.
#        sh -c "$(cat tmux.sh)" coi-tmux message SESSION ID "PIDS" "KEYS" [STATUS]
# `look` prints the screen of the agent with one of the PIDS.
#        sh -c "$(cat tmux.sh)" coi-tmux look SESSION ID "PIDS"
# `choose` presses NUMBER in the dialog of the question ASK; WHO may do that again, as Claude Code ignores keys for a moment
# after it has opened a dialog. Stdin: a pattern of one line of the dialog, then the dialog, with which the screen must end.
# Status 8: the screen does not show it, or it is later than DEADLINE (seconds since 1970); 9: somebody else has just
# answered it.
#        sh -c "$(cat tmux.sh)" coi-tmux choose SESSION ID "PIDS" ASK WHO NUMBER DEADLINE
verb=$1 session=$2 id=$3 raw=$4 pids=$4 submit=$5 states=$6
command -v tmux >/dev/null 2>&1 && tmux has-session -t "=$session" 2>/dev/null || exit 3
target="=$session:" agent=
# Source of the fields and of the numbers of terminals: proc(5), pts(4).
on_terminal() { # PID TTY
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  number=${2#/dev/pts/}
  set -- ${stat##*) }
  # Neither stopped nor in the background.
  [ "$1" != T ] && [ "$3" = "$6" ] &&
    [ "$5" = $((34816 + (number & 255) + ((number & ~255) << 12))) ]
}
# Whether agent.sh has the terminal of a pane's first process, which becomes a shell when the agent has ended.
runs_agent() { # PID
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  set -- ${stat##*) }
  tr '\0' '\n' 2>/dev/null <"/proc/$6/cmdline" | grep -qx coi-agent
}
is_idle() { [ -z "$states" ] || grep -q '"status":"idle"' "$states/$agent.json" 2>/dev/null; }
case $verb in
  has) exit ;;
  capture) exec tmux capture-pane -p -t "=$session:" ;;
  keys) type="send-keys -t '$target' $(cat)" ;;
  message | choose | look)
    for pane in $(tmux list-panes -s -t "=$session" -F '#{pane_id}=#{pane_tty}=#{pane_pid}'); do
      tty=${pane#*=} shell=${pane##*=} pane=${pane%%=*} tty=${tty%=*}
      for pid in $pids; do on_terminal "$pid" "$tty" && agent=$pid target=$pane; done
      [ "$pids" ] || ! runs_agent "$shell" || agent=$shell target=$pane
    done
    [ "$agent" ] || exit 5
    [ "$verb" != look ] || exec tmux capture-pane -p -t "$target"
    [ "$verb" = choose ] || is_idle || exit 7
    ;;
esac
to="-t '$target'" text=
case $verb in text | lines | paste | message)
  if [ "$verb" = text ]; then bracket=; else bracket=-p; fi
  enter="send-keys $to Enter"
  [ "$verb" = paste ] && enter=
  [ "$verb" = message ] && enter=${submit:+send-keys $to $submit}
  text=$(cat; echo .) text=${text%.}
  if [ -z "$text" ]; then type=$enter; else
    printf %s "$text" | tmux load-buffer -b "coi-$id" - || exit 1
    type="paste-buffer -d $bracket -b coi-$id $to${enter:+ ; $enter}"
  fi
  # In copy mode the keys would not reach the program.
  type="copy-mode -q $to ; $type"
  ;;
esac
# Dialogs of Claude Code and codex have choices, a pointer and a key to cancel in their footer; opencode's have a heading.
choices='#{&&:#{C/ri:(❯|›|>) ?[0-9]+[.] },#{C/ri:(esc to (cancel|exit|go back|close)|enter to (confirm|select))}}'
footer='#{C/ri:(· esc to (cancel|exit|go back|close)|esc to (cancel|exit|go back|close) ·)}'
dialog="#{||:#{||:$choices,$footer},#{C/r:△ (Permission required|Always allow)}}"
if [ "$raw" = raw ] || [ "$verb" = keys ]; then dialog=; elif [ "$raw" = asks ]; then dialog="#{==:1,1}"; fi
# Tells tmux to do something if a condition is true. tmux checks and types in one command: nothing can happen in between,
# and both requests may run at the same time.
unless_sent() { # OPTION CONDITION COMMAND
  tmux if-shell -F -t "$target" "#{?#{==:#{$1},$id},,#{?$2,1,}}" "set-option $to $1 $id ; $3 ; display-message -p done"
}
sent() { [ "$(tmux display-message -p -t "$target" "#{$1}")" = "$id" ]; }
case $verb$text in
  # The key of a choice that is shown selects it at once; an Enter after it would answer the next question.
  text[1-9])
    [ "$raw" = raw ] || [ -z "$(unless_sent @coi-sent "#{&&:$dialog,#{C/ri:^ *(│ *)?((❯|›|>) *)?$text[.] }}" "send-keys $to $text")" ] ||
      { tmux delete-buffer -b "coi-$id" 2>/dev/null; exit 0; }
    ;;
esac
if [ "$verb" = choose ]; then
  ask=$submit who=$states number=$7
  # A container that was paused runs it when it goes on.
  now=$(date +%s)
  [ "$now" -le "$8" ] || exit 8
  IFS= read -r line && expected=$(cat) && [ "$expected" ] || exit 1
  mark=$(tmux display-message -p -t "$target" '#{@coi-answer}')
  case $mark in
    # Whoever began to answer this question goes on, until some seconds have passed.
    "$ask $who "*) ;;
    "$ask "*) [ $((now - ${mark##* })) -gt 10 ] || exit 9 ;;
  esac
  case $(tmux capture-pane -p -t "$target" | sed 's/ *$//') in *"$expected") ;; *) exit 8 ;; esac
  shown="#{&&:#{==:#{@coi-answer},$mark},#{&&:$dialog,#{&&:#{C/r:^$line},#{C/r:^ *((❯|›|>) *)?$number[.] }}}}"
  type="copy-mode -q $to ; set-option $to @coi-answer '$ask $who $now' ; send-keys $to $number"
  [ "$(unless_sent @coi-sent "$shown" "$type")" ] || sent @coi-sent || exit 8
  exit 0
fi
result=$(unless_sent @coi-sent "#{?$dialog,,1}" "$type")
status=$?
tmux delete-buffer -b "coi-$id" 2>/dev/null
[ "$status" = 0 ] || exit "$status"
[ "$result" ] || sent @coi-sent || exit 4
[ "$verb" = message ] || exit 0
if [ -z "$submit" ]; then
  # Claude Code drops an Enter that comes together with a paste.
  sleep 0.1
  is_idle || exit 6
  result=$(unless_sent @coi-entered "#{?$dialog,,1}" "send-keys $to Enter") || exit
  [ "$result" ] || sent @coi-entered || exit 6
fi
echo "$agent"
