#!/bin/sh
# Boots the kernel on this container's own files; its first process carries out the script that is in the variable SCRIPT, and everything ends with it.
printf '%s' "$SCRIPT" >/script.sh
exec env TMPDIR=/tmp linux.uml mem=192M root=/dev/root rootfstype=hostfs rootflags=/ rw init=/init.sh con=null con0=fd:0,fd:1 quiet </dev/null
