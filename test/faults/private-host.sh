#!/bin/sh
# Makes the namespaces that it runs in look like a host on which the packages are installed and nothing else was done.
# $1: an empty directory for everything that such a host keeps. Says "ready" and stays until its stdin ends.
set -eu
state=$1
mount --make-rprivate /
ip link set lo up
# sysfs shows the interfaces of the namespace that it was mounted in; control groups stay those of the machine.
mkdir "$state/cgroup"
mount --rbind /sys/fs/cgroup "$state/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$state/cgroup" /sys/fs/cgroup
# The machine's own pools would be seen as in use: their files have the same names.
awk '$2 ~ "^/var/lib/(incus|lxcfs)(/|$)" { print $2 }' /proc/self/mounts | sort -r | xargs -r -n1 umount -l
for path in /var/lib/incus /var/lib/lxcfs /var/lib/coi /var/log /run /usr/local; do
  mkdir -p "$path" "$state$path"
  mount --bind "$state$path" "$path"
done
mkdir /run/lock
# Another test may be making an account: its locks and half-written files come and go, and belong to nobody here.
tar -C / --exclude='*.lock' --exclude='*+' -cf - etc | tar -C "$state" -xpf -
mount --bind "$state/etc" /etc
sed -i '/^root:/d' /etc/subuid /etc/subgid
rm -f /etc/sysctl.d/60-coi.conf /etc/sysctl.d/61-coi-limits.conf
echo ready
exec cat
