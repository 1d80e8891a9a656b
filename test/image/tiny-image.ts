// A Docker image that needs no registry.

/** A root file system with one program, since there is no registry: busybox with its libraries. */
export const tinyImage = `mkdir -p ~/tiny/bin ~/tiny/tmp && cd ~/tiny && cp /usr/bin/busybox bin/ && ln -s busybox bin/sh
for file in $(ldd bin/busybox | grep -o '/[^ ]*'); do mkdir -p ".$(dirname "$file")" && cp -L "$file" ".$file"; done
tar -c . | docker import - tiny >/dev/null`;
