#!/bin/sh
# Installs Node, npm and the agents globally, from the host's npm download. Arguments: agent names.
set -eu
cp --recursive --no-preserve=ownership --no-dereference /mnt/npm/. /usr/local/
chmod --recursive u+rwX,go+rX,go-w /usr/local/lib/node_modules
modules=/usr/local/lib/node_modules
# Headers for native addons: node-gyp downloads the ones that it needs.
rm -rf "$modules"/node-linux-*/include
# Install scripts did not run on the host; the few that are needed run here.
for name in "$@"; do
  case $name in
    claude) (cd "$modules/@anthropic-ai/claude-code" && node install.cjs) ;;
    opencode)
      cd "$modules/opencode-ai"
      node postinstall.mjs
      # The script linked the variant for this CPU; the others are 180 MB each.
      for variant in node_modules/opencode-*; do
        [ "$variant/bin/opencode" -ef bin/opencode.exe ] || rm -rf "$variant"
      done
      ;;
  esac
done
# The host's registry, if it is not npm's default.
registry=$(cat /mnt/registry)
if [ -n "$registry" ] && [ "$registry" != "$(npm config get registry)" ]; then
  mkdir -p /usr/local/etc
  printf 'registry=%s\n' "$registry" >/usr/local/etc/npmrc
fi
# Global packages of the user go into the home directory, which needs no root.
printf 'prefix=/home/code/.local\n' >/home/code/.npmrc
chown code:code /home/code/.npmrc
for name in "$@"; do
  printf '%s ' "$name"
  runuser --user code -- env HOME=/tmp/probe "$name" --version
done
rm -rf /tmp/probe
