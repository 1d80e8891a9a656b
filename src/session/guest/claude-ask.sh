# A hook of Claude Code (PermissionRequest, for questions and plans): passes on what is asked and waits for an answer of the
# host, which it prints. The dialog stays open meanwhile: whoever answers first counts. It must not keep anything of the
# user's waiting, so it does nothing if the user, the project or a plugin may have a hook of that kind.
# usage: bash claude-ask.sh, with the hook's JSON on stdin
config=${CLAUDE_CONFIG_DIR:-$HOME/.claude} project=${CLAUDE_PROJECT_DIR:-$PWD}/.claude
[ "$COI_STATUS_DIR" ] || exit 0
# Status 1: none of them names such a hook. A file that cannot be read, or a search that takes too long, may have one.
others() {
  local at
  for at in "$config"/settings*.json "$project"/settings*.json /etc/claude-code/{,*/}*.json; do
    [ ! -f "$at" ] || ! has_hook "$at" || return 0
  done
  for at in {"$config","$project"}/plugins; do
    [ ! -d "$at" ] || ! has_hook -r --include='*.json' "$at" || return 0
  done
  for at in {"$config","$project"}/{agents,skills,commands}; do
    [ ! -d "$at" ] || ! has_hook -r --include='*.md' "$at" || return 0
  done
  return 1
}
has_hook() {
  timeout 2 grep -qs "$@" -e PermissionRequest
  [ $? != 1 ]
}
if others; then
  cat >/dev/null
  exit 0
fi
umask 077
claude=$PPID asks=$COI_STATUS_DIR/asks
ask=$asks/$$-$RANDOM$RANDOM
trap 'rm -f "$ask".*' EXIT
trap 'exit 0' HUP INT TERM
mkdir -p "$asks" && head -c 262144 >"$ask.new" || exit 0
cat >/dev/null
mv -f "$ask.new" "$ask.json" || exit 0
# A pipe that nobody writes: reading it with a time limit is a pause without another process.
exec 3<> <(:) 2>/dev/null
is_open() {
  registered=
  IFS= read -r registered 2>/dev/null <"$config/sessions/$claude.json"
  case $registered in *'"status":"waiting"'*) ;; *) return 1 ;; esac
}
# Claude Code may need a moment to open the dialog, and ends this hook only if the dialog is cancelled.
left=30
while kill -0 "$claude" 2>/dev/null; do
  if [ -e "$ask.answer" ] && mv "$ask.answer" "$ask.taken" 2>/dev/null; then
    cat "$ask.taken"
    exit 0
  fi
  if is_open; then left=5; else left=$((left - 1)); fi
  [ "$left" -gt 0 ] || exit 0
  read -rt 0.2 -u 3 _ 2>/dev/null || [ $? -gt 128 ] || sleep 0.2
done
