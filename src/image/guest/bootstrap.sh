#!/bin/sh
# First stage, in a container with Debian's essential packages unpacked but not yet installed.
# /mnt holds the host's downloads. Arguments: file names of the essential packages.
set -eu
cat >/etc/dpkg/dpkg.cfg.d/coi <<'CFG'
# A container that can be recreated needs neither fsync nor manuals.
force-unsafe-io
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/locale/*
path-include=/usr/share/locale/locale.alias
CFG
: >/var/lib/dpkg/status
: >/var/lib/dpkg/available
# Nothing may be started while packages are installed: there is no init yet.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
cd /mnt/apt/archives
dpkg --install --force-depends "$@"
