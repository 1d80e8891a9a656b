#!/bin/sh
# Removes from a custom image what must differ between containers, and leftovers of the build.
rm -rf /tmp/* /tmp/.[!.]* /var/tmp/* /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/log/journal/* /run/log/journal/*
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id
sync -f /
