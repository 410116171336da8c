# A daemon dies with the machine. What it noted must not be taken for the truth after the next boot.
. /vm/lib.sh

wsf=/proc/sys/vm/watermark_scale_factor
mkdir -p /mnt /disk
case $BOOT in
    first) mke2fs -F /dev/vdb >/dev/null 2>&1 || die "mke2fs failed" ;;
esac
mount -t ext4 /dev/vdb /disk || mount -t ext2 /dev/vdb /disk || die "no disk"
mkdir -p /disk/run
make_hole 16G
case $BOOT in
    first)
        # An administrator chose 50, the daemon raises it, and dies.
        echo 50 >$wsf
        stream /mnt/hole $(($(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) * 5 / 4)) 80 100000 >/out/stream.txt &
        streamer=$!
        await /out/stream.txt filled $streamer
        start_daemon
        sleep 20
        raised=$(cat $wsf)
        check "the daemon raised the value (50 to $raised)" [ "$raised" -gt 50 ]
        kill -KILL "$daemon"
        wait "$daemon" 2>/dev/null
        check "the value is still raised when it is dead" [ "$(cat $wsf)" = "$raised" ]
        check "the ledger is on the disk" [ -s /disk/run/ledger.json ]
        cp /disk/run/ledger.json /out/
        if [ "$RESTART" = 1 ]; then
            kill $streamer
            start_daemon
            sleep 3
            check "the next daemon of the same boot gives it back" [ "$(cat $wsf)" = 50 ]
            check_end
        fi
        sync
        umount /disk
        ;;
    second)
        check "the ledger of the boot before is there" [ -s /disk/run/ledger.json ]
        check "the kernel begins with 10" [ "$(cat $wsf)" = 10 ]
        start_daemon
        sleep 8
        check "the value of the boot before does not come back" [ "$(cat $wsf)" = 10 ]
        check_end
        check "nor at the end" [ "$(cat $wsf)" = 10 ]
        umount /disk
        ;;
esac
exit 0
