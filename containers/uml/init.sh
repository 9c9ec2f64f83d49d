#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc none /proc
modules=/usr/lib/uml/modules/$(uname -r)/kernel
insmod "$modules/drivers/net/veth.ko"
insmod "$modules/net/sched/sch_netem.ko"
sh -e /script.sh 2>&1
echo "ended with $?"
echo o >/proc/sysrq-trigger
sleep 10
