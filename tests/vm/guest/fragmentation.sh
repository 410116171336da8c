# One arm of `fragmentation`: memory is fragmented bit by bit, then programs want huge pages. As often as ROUNDS says.
. /vm/lib.sh

echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo madvise >/sys/kernel/mm/transparent_hugepage/defrag
free_mib=$(awk '/^MemFree/ { print int($2 / 1024) }' /proc/meminfo)
if [ "$ARM" = daemon ]; then start_daemon; else record; fi
sleep "$SETTLE_SECS"

begin=$(cut -d. -f1 /proc/uptime)
round=0
while [ $round -lt "$ROUNDS" ]; do
    mark "fill-$round"
    note "fill-$round"
    # Nearly all that is free is taken, half of that is given back.
    fragment $((free_mib * 94 / 100)) "$RATE_MIB" "$HOLD_SECS" >/out/fragment-$round.txt &
    fragmenter=$!
    await /out/fragment-$round.txt holding $fragmenter
    mark "fragmented-$round"
    sleep "$WAIT_SECS"
    note "burst-$round"
    mark "burst-$round"
    faults $((free_mib * 25 / 100)) 1 0.5 1 plain >/out/faults-$round.txt
    note "after-$round"
    mark "after-$round"
    wait $fragmenter
    sleep "$PAUSE_SECS"
    round=$((round + 1))
done
echo "seconds $(($(cut -d. -f1 /proc/uptime) - begin))" >/out/clock.txt
if [ "$ARM" = daemon ]; then stop_daemon; fi
exit 0
