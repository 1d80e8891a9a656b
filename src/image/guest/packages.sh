#!/bin/sh
# Installs packages that the host downloaded; the container downloads nothing.
# Arguments: package names.
set -eu
cp /mnt/sources/*.sources /etc/apt/sources.list.d/
cp /mnt/sources/90coi /etc/apt/apt.conf.d/
cp --recursive /mnt/keyrings/. /usr/share/keyrings/
apt-get --yes --no-download \
  -o Dir::State::lists=/mnt/apt/lists -o Dir::Cache::archives=/mnt/apt/archives \
  -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
  -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
  -o Acquire::Languages=none -o Dpkg::Use-Pty=0 \
  install "$@"
