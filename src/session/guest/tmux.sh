# Types into the tmux session of a container, prints its screen, or checks whether it exists. Status 3: no such session;
# 4: nothing was typed, because an agent's dialog is open, and Enter would choose its default.
# The input comes on stdin, never in argv: text (several lines are one paste), or key names, quoted for tmux.
# `paste` does not press Enter afterwards. `raw` ignores dialogs.
# ID identifies one send request: if it is repeated, for example because Incus lost the first, nothing is typed twice.
# usage: sh -c "$(cat tmux.sh)" coi-tmux text|lines|paste|keys|capture|has SESSION [ID [raw]]
verb=$1 session=$2 id=$3 raw=$4
command -v tmux >/dev/null 2>&1 && tmux has-session -t "=$session" 2>/dev/null || exit 3
to="-t '=$session:'"
enter="send-keys $to Enter"
case $verb in
  has) exit ;;
  capture) exec tmux capture-pane -p -t "=$session:" ;;
  keys) type="send-keys $to $(cat)" ;;
  *)
    if [ "$verb" = text ]; then bracket=; else bracket=-p; fi
    text=$(cat; echo .) text=${text%.}
    if [ -z "$text" ]; then type=$enter; else
      printf %s "$text" | tmux load-buffer -b "coi-$id" - || exit 1
      type="paste-buffer -d $bracket -b coi-$id $to"
      [ "$verb" = paste ] || type="$type ; $enter"
    fi
    ;;
esac
# Dialogs of Claude Code and codex have numbered choices, a pointer and a key to cancel; opencode's have a heading.
choices='#{&&:#{C/ri:(❯|›|>) ?[0-9]+[.] },#{C/ri:(esc to (cancel|exit|go back|close)|enter to (confirm|select))}}'
dialog="#{||:$choices,#{C/r:△ (Permission required|Always allow)}}"
if [ -n "$raw" ] || [ "$verb" = keys ]; then dialog=0; fi
# tmux checks and types in one command: nothing can happen in between, and both requests may run at the same time.
result=$(tmux if-shell -F -t "=$session:" "#{?#{==:#{@coi-sent},$id},,#{?$dialog,,1}}" \
  "set-option $to @coi-sent $id ; $type ; display-message -p typed")
status=$?
tmux delete-buffer -b "coi-$id" 2>/dev/null
[ "$status" = 0 ] || exit "$status"
[ -n "$result" ] || [ "$(tmux display-message -p -t "=$session:" '#{@coi-sent}')" = "$id" ] || exit 4
