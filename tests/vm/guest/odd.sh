# A machine that lacks something, or has something unusual.
. /vm/lib.sh

case $ODD in
    cgroup-v1)
        mkdir -p /sys/fs/cgroup && mount -t tmpfs tmpfs /sys/fs/cgroup && mkdir /sys/fs/cgroup/memory
        mount -t cgroup -o memory cgroup /sys/fs/cgroup/memory
        check "there is a hierarchy of version 1" [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]
        ;;
    no-psi) check "there is no /proc/pressure" [ ! -e /proc/pressure/memory ] ;;
    no-huge-pages) check "there are no huge pages" [ ! -e /sys/kernel/mm/hugepages/hugepages-2048kB ] ;;
    small) check "there is little memory" [ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" -lt 200000 ] ;;
    lazy)
        check "the kernel initialises memory lazily ($(dmesg | grep -c 'deferred pages initialised') nodes)" \
            [ "$(dmesg | grep -c 'deferred pages initialised')" -gt 0 ]
        ;;
    no-swap-no-numa) check "there is one node" [ ! -e /sys/devices/system/node/node1 ] ;;
esac
start_daemon
sleep 12
check "it started" logged "started: a scan every"
check "no warning" silent_about '^[0-9:]* *warning'
check "no leak is reported" silent_about 'warning *memleak: Possible'
check_end
exit 0
