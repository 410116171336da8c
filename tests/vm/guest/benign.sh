# Memory is used in many ways that lose none of it. The daemon must say nothing.
. /vm/lib.sh
. /vm/loads.sh

make_hole 4G
start_daemon
sleep 8

stalls() { awk '/^allocstall_/ { sum += $2 } END { print sum + 0 }' /proc/vmstat; }
for load in $LOADS; do
    if [ "$load" = xfs ] && [ ! -e /vm/bin/mkfs.xfs ]; then
        echo "xfs: the machine that called has no mkfs.xfs" >>/out/skipped.txt
        continue
    fi
    before=$(stalls)
    mark "$load"
    begin_load "$load"
    sleep "$HOLD_SECS"
    end_load "$load"
    say "stalls $(($(stalls) - before))"
    cp "$WORK/said" "/out/said-$load.txt"
    mark "after-$load"
    sleep 3
done
mark end
stop_daemon
exit 0
