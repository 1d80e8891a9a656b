#!/bin/sh
# Node, npm and the agents for everybody, from what the host's npm has fetched. Arguments: names of the agents.
set -eu
cp --recursive --no-preserve=ownership --no-dereference /mnt/npm/. /usr/local/
chmod --recursive u+rwX,go+rX,go-w /usr/local/lib/node_modules
modules=/usr/local/lib/node_modules
# Headers for native addons: node-gyp fetches those that it needs itself.
rm -rf "$modules"/node-linux-*/include
# Their install scripts did not run on the host; the few that do something needed run here.
for name in "$@"; do
  case $name in
    claude) (cd "$modules/@anthropic-ai/claude-code" && node install.cjs) ;;
    opencode)
      cd "$modules/opencode-ai"
      node postinstall.mjs
      # It linked the variant for this processor; the others are 180 MB each.
      for variant in node_modules/opencode-*; do
        [ "$variant/bin/opencode" -ef bin/opencode.exe ] || rm -rf "$variant"
      done
      ;;
  esac
done
# The host's registry, where it is not npm's own.
registry=$(cat /mnt/registry)
if [ -n "$registry" ] && [ "$registry" != "$(npm config get registry)" ]; then
  mkdir -p /usr/local/etc
  printf 'registry=%s\n' "$registry" >/usr/local/etc/npmrc
fi
# A user's own global packages go into the home, where no root is needed.
printf 'prefix=/home/code/.local\n' >/home/code/.npmrc
chown code:code /home/code/.npmrc
for name in "$@"; do
  printf '%s ' "$name"
  runuser --user code -- env HOME=/tmp/probe "$name" --version
done
rm -rf /tmp/probe
