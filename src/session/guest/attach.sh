# Attaches to the tmux session of a container; opens a new one when it is gone.
# usage: sh -c "$(cat attach.sh)" coi-attach SESSION WORKSPACE
session=$1 workspace=$2
cd "$workspace" 2>/dev/null || cd
if ! tmux has-session -t "=$session" 2>/dev/null; then
  # A boot can have swept the socket away under a living server: USR1 makes tmux create it again.
  mkdir -p -m 700 "/tmp/tmux-$(id -u)" 2>/dev/null
  pkill -USR1 -u "$(id -u)" tmux 2>/dev/null && tmux has-session -t "=$session" 2>/dev/null
fi
exec tmux -u new-session -A -s "$session" -c "$workspace"
