# Runs in the agent's tmux pane: the agent, then a line that says how to start it again, and a shell. The files that start
# it again, and its variables, are in memory only: after a restart of the container they are gone.
# usage: bash -c "$(cat agent.sh)" coi-agent first|again TITLE KEPT AGAIN TAIL WORD... COMMAND...
# KEPT: DIRECTORY DEPTH SUFFIX of the conversation files in the home, or empty. AGAIN: how many WORDs continue the newest
# conversation; 0 for a command that cannot be started again. TAIL: how many words of COMMAND they replace.
coi_mode=$1 coi_title=$2 coi_kept=$3 coi_again=$4 coi_tail=$5
shift 5
coi_all=("$@")
shift "$coi_again"
coi_directory=$PWD
coi_file=/dev/shm/coi-agent
coi_exit=
[ "$coi_again" = 0 ] || coi_exit=${COI_STATUS_DIR:+$COI_STATUS_DIR/exited}
# coi-status writes in the name of this process, which lives as long as the agent.
export COI_AGENT_PID=$$
coi_has_conversation() {
  [ "$coi_kept" ] || return 0
  local directory depth suffix
  read -r directory depth suffix <<<"$coi_kept"
  [ "$(find ~/"$directory" -maxdepth "$((depth + 1))" -type f -name "*$suffix" -print -quit 2>/dev/null)" ]
}
coi_mark() { [ -z "$TMUX" ] || tmux set-option "$@" 2>/dev/null; }
coi_write() {
  # The launcher is on disk and says what to do when the files in memory are gone.
  mkdir -p ~/.local/bin
  cat >~/.local/bin/coi-agent <<'END' && chmod +x ~/.local/bin/coi-agent || return
#!/bin/sh
# Starts the agent of this session again, with its conversation. Written by coi.
[ -r /dev/shm/coi-agent ] && exec bash /dev/shm/coi-agent
echo "The container was restarted since: \`coi shell --container $(hostname) --resume\` on the host starts the agent." >&2
exit 1
END
  (umask 077 && cat /proc/$$/environ >$coi_file.env)
  {
    printf 'cd %q\nexec bash -c %q coi-agent again' "$coi_directory" "$BASH_EXECUTION_STRING"
    printf ' %q' "$coi_title" "$coi_kept" "$coi_again" "$coi_tail" "${coi_all[@]}"
  } >$coi_file
} 2>/dev/null
coi_ended() {
  local way="\`coi shell --container $HOSTNAME --resume\` on the host"
  if coi_write; then
    way=coi-agent
    command -v coi-agent >/dev/null || way=~/.local/bin/coi-agent
  fi
  local line="$coi_title has ended: $way starts it again with its conversation, exit leaves."
  echo "$line" 2>/dev/null >$coi_file.line
  printf '\n%s\n' "$line"
  coi_mark @coi_ended 1
}
# Tells the host that the agent has ended. A status file of this process would say otherwise: its id stays in use.
coi_tell_end() {
  rm -f "$COI_STATUS_DIR/$$.json"
  mkdir -p "$COI_STATUS_DIR" && echo "$coi_status" >"$coi_exit.new" && mv -f "$coi_exit.new" "$coi_exit"
} 2>/dev/null
trap : INT
[ -z "$coi_exit" ] || rm -f "$coi_exit" 2>/dev/null
if [ "$coi_mode" = again ]; then
  coi_mark -u @coi_ended
  if coi_has_conversation; then set -- "${@:1:$#-coi_tail}" "${coi_all[@]:0:coi_again}"; fi
fi
"$@"
coi_status=$?
[ -z "$coi_exit" ] || coi_tell_end
# What the agent asked the terminal and did not read any more would end up on the shell's command line.
while IFS= read -rs -t 0.1 -n 4096 _; do :; done 2>/dev/null
[ "$coi_again" = 0 ] || coi_ended
[ "$coi_mode" = again ] && exit "$coi_status"
exec bash
