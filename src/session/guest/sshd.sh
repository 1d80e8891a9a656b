# An SSH server for one connection on stdin and stdout, as the agent's user; nothing listens on a port. The host key comes
# in COI_SSH_HOST_KEY and is written to a file, because sshd needs one.
# usage: sh -c "$(cat sshd.sh)" coi-sshd AUTHORIZED_KEY SETENV
authorized=$1 setenv=$2
umask 077
kept="$HOME/.cache/coi"
mkdir -p "$kept" || exit
# Many connections may start at once, all with the same key.
printf '%s' "$COI_SSH_HOST_KEY" >"$kept/ssh_host_key.$$" || exit
mv -f "$kept/ssh_host_key.$$" "$kept/ssh_host_key" || exit
unset COI_SSH_HOST_KEY
# Remote forwarding would open a host port to programs in the container.
exec "$(command -v sshd)" -i -e -f /dev/null -h "$kept/ssh_host_key" \
  -o LogLevel=ERROR -o PidFile=none -o UsePAM=no -o UseDNS=no -o StrictModes=no \
  -o AuthenticationMethods=publickey -o AuthorizedKeysFile=none -o AllowUsers=code \
  -o AuthorizedKeysCommand="/bin/echo $authorized" -o AuthorizedKeysCommandUser=code \
  -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no \
  -o AllowAgentForwarding=no -o X11Forwarding=no -o PermitTunnel=no -o PermitUserRC=no \
  -o AllowTcpForwarding=local -o AllowStreamLocalForwarding=local \
  -o 'AcceptEnv=LANG LC_* COLORTERM NO_COLOR' -o "SetEnv=$setenv" \
  -o 'Subsystem=sftp internal-sftp' -o ClientAliveInterval=60 -o ClientAliveCountMax=10
