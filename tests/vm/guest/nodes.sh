# Nodes that differ, and nodes that change while the daemon looks.
. /vm/lib.sh

total_mib() { awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo; }

wsf=/proc/sys/vm/watermark_scale_factor
start_daemon
sleep 8
check "no warning on the machine as it is" silent_about '^[0-9:]* *warning'
case $NODES in
    opposite)
        # One node fills while the other empties.
        hold anon "$PART_MIB" 6 1 >/out/hold-1.txt &
        await /out/hold-1.txt holding $!
        mark opposite
        hold anon "$PART_MIB" 12 0 >/dev/null &
        sleep 20
        ;;
    memoryless)
        check "there is a node without memory" grep -q 'Node 1 MemTotal: *0 kB' /sys/devices/system/node/node1/meminfo
        ;;
    hotplug)
        before=$(total_mib)
        echo online_movable >/sys/devices/system/memory/auto_online_blocks
        mark plug
        load_late virtio_mem
        sleep 15
        more=$(total_mib)
        check "memory was added ($before to $more MiB)" [ "$more" -gt "$before" ]
        mark unplug
        echo "vm: monitor qom-set /machine/peripheral/vm0 requested-size 0" >/dev/console
        sleep 15
        less=$(total_mib)
        check "memory was taken away ($more to $less MiB)" [ "$less" = "$before" ]
        ;;
esac
check "no leak is reported" silent_about 'warning *memleak: Possible'
check "no warning" silent_about '^[0-9:]* *warning'
check_end
check "the scale factor is given back" [ "$(cat $wsf)" = 10 ]
exit 0
