# Types into the tmux session of a container, prints its screen or asks whether it is there. Status 3: no such session.
# The text comes on stdin, so that it is in no argv; several lines go as one paste.
# usage: sh -c "$(cat tmux.sh)" coi-tmux send|send-lines|capture|has SESSION
verb=$1 session=$2
command -v tmux >/dev/null 2>&1 && tmux has-session -t "=$session" 2>/dev/null || exit 3
case $verb in
  has) ;;
  capture) exec tmux capture-pane -p -t "=$session:" ;;
  *)
    tmux load-buffer -b coi-send - || exit 1
    if [ "$verb" = send-lines ]; then bracket=-p; else bracket=; fi
    tmux paste-buffer -d $bracket -b coi-send -t "=$session:" && tmux send-keys -t "=$session:" Enter
    ;;
esac
