#!/bin/sh
# Configures the installed Debian for coi: the user, fast boots, power commands without sudo.
set -eu

useradd --uid 1000 --user-group --create-home --shell /bin/bash code
passwd --lock code >/dev/null
# Parent directories of coi's mounts in the home: Incus would create missing ones as root.
for directory in .config .local .local/bin .local/share .local/state .cache .npm; do
  install --directory --owner=code --group=code "/home/code/$directory"
done
mkdir -p /workspace
chown code:code /workspace

cp --recursive --no-preserve=ownership /mnt/guest/files/. /
chmod 440 /etc/sudoers.d/code
chmod 755 /usr/local/bin/dummy /usr/local/libexec/coi-dhcp /usr/local/libexec/coi-power \
  /usr/local/libexec/coi-end-execs
for name in poweroff shutdown reboot halt close stop; do
  ln --symbolic ../libexec/coi-power "/usr/local/bin/$name"
done
for authority in /mnt/authorities/*.crt; do
  [ -e "$authority" ] || continue
  cp --no-preserve=ownership "$authority" /usr/local/share/ca-certificates/
  added=yes
done
[ -z "${added-}" ] || update-ca-certificates
printf 'LANG=C.UTF-8\n' >/etc/locale.conf
printf 'LANG=C.UTF-8\n' >/etc/default/locale
ln --symbolic --force /usr/share/zoneinfo/Etc/UTC /etc/localtime
printf 'Etc/UTC\n' >/etc/timezone

systemctl set-default multi-user.target
systemctl enable coi-dhcp.service coi-end.service
# sshd does not listen: `coi ssh-config` starts it for one connection, on pipes.
systemctl disable ssh.service ssh.socket
# Units that a container does not need, or that would touch /tmp while it is already in use.
systemctl mask \
  tmp.mount run-lock.mount dev-hugepages.mount sys-kernel-config.mount sys-kernel-debug.mount \
  sys-kernel-tracing.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
  systemd-binfmt.service systemd-modules-load.service systemd-pstore.service systemd-random-seed.service \
  systemd-journal-catalog-update.service systemd-journal-flush.service systemd-firstboot.service \
  systemd-tpm2-setup.service systemd-tpm2-setup-early.service systemd-pcrmachine.service \
  systemd-hibernate-clear.service kmod-static-nodes.service ldconfig.service systemd-update-done.service \
  systemd-tmpfiles-setup-dev.service systemd-tmpfiles-setup-dev-early.service \
  systemd-tmpfiles-clean.timer systemd-sysusers.service systemd-remount-fs.service systemd-ask-password-wall.path \
  systemd-ask-password-console.path getty.target getty-static.service console-getty.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer e2scrub_all.timer \
  systemd-creds.socket systemd-pcrextend.socket systemd-pcrlock.socket systemd-sysext.socket \
  systemd-initctl.socket remote-fs.target \
  dev-mqueue.mount systemd-user-sessions.service
# Generators that a container does not need: each costs a program start at every boot. Those for /etc/fstab, rc.local and
# init scripts stay.
mkdir -p /etc/systemd/system-generators
for name in bless-boot cryptsetup debug getty gpt-auto hibernate-resume integritysetup run ssh system-update tpm2 \
  veritysetup; do
  ln --symbolic --force /dev/null "/etc/systemd/system-generators/systemd-$name-generator"
done
# D-Bus starts with its first client, and starts logind, which only `shutdown` with a time needs.
mkdir -p /etc/systemd/system/multi-user.target.wants
for name in dbus systemd-logind; do
  ln --symbolic --force /dev/null "/etc/systemd/system/multi-user.target.wants/$name.service"
done
