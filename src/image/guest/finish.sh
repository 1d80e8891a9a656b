#!/bin/sh
# Removes files that only the build needed, and files that must differ between containers.
set -eu
rm -f /usr/sbin/policy-rc.d
rm -rf /root/.npm /root/.cache /home/code/.npm/* /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* /tmp/* /var/tmp/*
mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
rm -f /var/lib/dpkg/*-old /etc/*- /etc/.pwd.lock /etc/ssh/ssh_host_*
# Empty, not missing: a missing file means "first boot", which presets every unit again.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
ldconfig
# dpkg skipped fsync, so everything is written to disk now.
sync -f /
