#!/bin/sh
# Makes its namespaces look like a host with only the packages installed.
# $1: an empty directory for all data of that host. Prints "ready" and runs until its stdin ends.
set -eu
state=$1
mount --make-rprivate /
ip link set lo up
# sysfs shows the interfaces of the namespace in which it was mounted; cgroups stay the machine's.
mkdir "$state/cgroup"
mount --rbind /sys/fs/cgroup "$state/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$state/cgroup" /sys/fs/cgroup
# The machine's own pools would look used: their files have the same names.
awk '$2 ~ "^/var/lib/(incus|lxcfs)(/|$)" { print $2 }' /proc/self/mounts | sort -r | xargs -r -n1 umount -l
# File systems that other tests made, which stop answering on purpose: health would report them here too.
awk '$3 == "fuse.coitest" { print $2 }' /proc/self/mounts | sort -r | xargs -r -n1 umount -l
for path in /var/lib/incus /var/lib/lxcfs /var/lib/coi /var/log /run /usr/local; do
  mkdir -p "$path" "$state$path"
  mount --bind "$state$path" "$path"
done
mkdir /run/lock
# Another test may be creating an account: its locks and half-written files do not belong here.
tar -C / --exclude='*.lock' --exclude='*+' -cf - etc | tar -C "$state" -xpf -
mount --bind "$state/etc" /etc
sed -i '/^root:/d' /etc/subuid /etc/subgid
rm -f /etc/sysctl.d/60-coi.conf /etc/sysctl.d/61-coi-limits.conf
echo ready
exec cat
