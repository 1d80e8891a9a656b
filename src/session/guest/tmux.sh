# Types into the tmux session of a container, prints its screen or asks whether it is there. Status 3: no such session.
# The text comes on stdin, so that it is in no argv; several lines go as one paste.
# The id is that of one request to send: asked again with it, as where Incus loses the first, nothing is typed twice.
# usage: sh -c "$(cat tmux.sh)" coi-tmux send|send-lines|capture|has SESSION [ID]
verb=$1 session=$2 id=$3
command -v tmux >/dev/null 2>&1 && tmux has-session -t "=$session" 2>/dev/null || exit 3
case $verb in
  has) ;;
  capture) exec tmux capture-pane -p -t "=$session:" ;;
  *)
    tmux load-buffer -b "coi-$id" - || exit 1
    if [ "$verb" = send-lines ]; then bracket=-p; else bracket=; fi
    to="-t '=$session:'"
    # tmux itself looks and types in one go: both may run at the same time.
    tmux if-shell -F -t "=$session:" "#{!=:#{@coi-sent},$id}" \
      "set-option $to @coi-sent $id ; paste-buffer -d $bracket -b coi-$id $to ; send-keys $to Enter"
    status=$?
    tmux delete-buffer -b "coi-$id" 2>/dev/null
    exit $status
    ;;
esac
