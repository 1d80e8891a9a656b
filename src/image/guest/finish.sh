#!/bin/sh
# Leaves nothing behind that only the build needed, and nothing that would be the same in every container.
set -eu
rm -f /usr/sbin/policy-rc.d
rm -rf /root/.npm /root/.cache /home/code/.npm/* /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* /tmp/* /var/tmp/*
mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
rm -f /var/lib/dpkg/*-old /etc/*- /etc/.pwd.lock /etc/ssh/ssh_host_*
# Empty, not missing: a missing one means "first boot", which presets every unit again.
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
ldconfig
# dpkg skipped fsync, so the disk gets everything now.
sync -f /
