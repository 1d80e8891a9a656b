# A hook of Claude Code (PermissionRequest, for questions and plans): passes on what is asked and waits for an answer of the
# host, which it prints. The dialog stays open meanwhile: whoever answers first counts. It must not keep anything of the
# user's waiting, so it does nothing if the user, the project or a plugin may have a hook of that kind.
# usage: bash claude-ask.sh, with the hook's JSON on stdin
config=${CLAUDE_CONFIG_DIR:-$HOME/.claude} project=${CLAUDE_PROJECT_DIR:-$PWD} claude=$PPID
[ "$COI_STATUS_DIR" ] || exit 0
# Status 1: no file names such a hook. One that cannot be read, or a search that takes too long, may have one.
others() {
  local at directories
  # Plugins and directories that are given in another way.
  [ -z "$(compgen -e CLAUDE_CODE_PLUGIN)" ] || return 0
  tr '\0' '\n' <"/proc/$claude/cmdline" | grep -qE '^--(plugin-dir|add-dir)' && return 0
  for at in "$config"/*settings*.json /etc/claude-code/{,*/}*.json; do
    [ ! -f "$at" ] || ! has_hook "$at" || return 0
  done
  for at in "$config"/{plugins,agents,skills,commands}; do
    [ ! -d "$at" ] || ! has_hook -R --include='*.json' --include='*.md' "$at" || return 0
  done
  # Also those of its subdirectories.
  directories=$(timeout 3 find -L "$project" -maxdepth 5 \( -name node_modules -o -name .git \) -prune -o \
    -name .claude -type d -print 2>/dev/null)
  [ $? != 124 ] || return 0
  while IFS= read -r at; do
    [ -z "$at" ] || ! has_hook -R --include='*.json' --include='*.md' "$at" || return 0
  done <<<"$directories"
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
asks=$COI_STATUS_DIR/asks
ask=$asks/$$-$RANDOM$RANDOM
# Not an answer that was not taken: whoever gave it takes it back. bash does this on SIGTERM too; a trap for that signal is
# lost if it comes as `mv` ends (seen in 5.2).
trap 'rm -f "$ask".new "$ask".json "$ask".taken' EXIT
mkdir -p "$asks" || exit 0
# What a container that was killed has left.
for at in "$asks"/*; do
  left=${at##*/} left=${left%%-*}
  case $left in '' | *[!0-9]*) ;; *) kill -0 "$left" 2>/dev/null || rm -rf "$at" ;; esac
done
head -c 262144 >"$ask.new" || exit 0
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
  if [ -e "$ask.answer" ] && is_open && mv "$ask.answer" "$ask.taken" 2>/dev/null; then
    cat "$ask.taken"
    exit 0
  fi
  if is_open; then left=5; else left=$((left - 1)); fi
  [ "$left" -gt 0 ] || exit 0
  read -rt 0.2 -u 3 _ 2>/dev/null || [ $? -gt 128 ] || sleep 0.2
done
