# Attaches to the tmux session of a container, or opens a new one if it is gone. With --bash: a plain shell. New shells get
# the agent's variables, from its process or from memory; they are never on disk.
# usage: bash -c "$(cat attach.sh)" coi-attach tmux|bash SESSION WORKSPACE LOOK LINE
# LOOK: tmux commands. LINE: printed if no agent runs and none can be started again from inside; may be empty.
coi_mode=$1 coi_session=$2 coi_workspace=$3 coi_look=$4 coi_line=$5
coi_variables() {
  local from pair
  if from=$(tmux display-message -p -t "=$coi_session:" '#{pid}' 2>/dev/null); then from=/proc/$from/environ
  elif [ -r /dev/shm/coi-agent.env ]; then from=/dev/shm/coi-agent.env
  else read -r from </tmp/coi-agent.pid && from=/proc/$from/environ; fi
  while IFS= read -r -d '' pair; do
    case $pair in
      # Variables of this terminal, and those that change: the SSH agent may be another one by now.
      TERM=* | COLORTERM=* | SSH_AUTH_SOCK=* | PWD=* | OLDPWD=* | SHLVL=* | _=* | TMUX=* | TMUX_PANE=*) ;;
      *=*) export "$pair" ;;
    esac
  done <"$from"
} 2>/dev/null
coi_place() { cd "$coi_workspace" 2>/dev/null || cd; }
if [ "$coi_mode" = bash ]; then
  coi_variables
  coi_place
  exec bash
fi
coi_place
if ! tmux has-session -t "=$coi_session" 2>/dev/null; then
  # A boot may have removed the socket of a running server: USR1 makes tmux create it again.
  mkdir -p -m 700 "/tmp/tmux-$(id -u)" 2>/dev/null
  pkill -USR1 -u "$(id -u)" tmux 2>/dev/null && tmux has-session -t "=$coi_session" 2>/dev/null ||
    coi_variables
  coi_place
fi
exec tmux -u new-session -A -s "$coi_session" -c "$coi_workspace" -- bash -c 'if [ "$1" ]; then
  tmux set-option @coi_ended 1
  cat /dev/shm/coi-agent.line 2>/dev/null || printf "%s\n" "$1"
fi
exec bash' coi-bash "$coi_line" \; if-shell -F 1 "$coi_look"
