// An image of Docker that needs no registry.

/** A root file system of one program, since no registry can be asked: busybox with its libraries. */
export const tinyImage = `mkdir -p ~/tiny/bin ~/tiny/tmp && cd ~/tiny && cp /usr/bin/busybox bin/ && ln -s busybox bin/sh
for file in $(ldd bin/busybox | grep -o '/[^ ]*'); do mkdir -p ".$(dirname "$file")" && cp -L "$file" ".$file"; done
tar -c . | docker import - tiny >/dev/null`;
