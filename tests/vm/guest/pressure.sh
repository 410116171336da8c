# One arm of `pressure`: page cache fills the memory, then drivers allocate in bursts.
. /vm/lib.sh

wsf=/proc/sys/vm/watermark_scale_factor
total_mib=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
make_hole 16G

case $ARM in
    baseline) echo 10 >$wsf ;;
    fixed) echo 1000 >$wsf ;;
    daemon) echo 10 >$wsf ;;
esac
stream /mnt/hole $((total_mib * 5 / 4)) "$STREAM_MIB" 100000 >/out/stream.txt &
streamer=$!
await /out/stream.txt filled $streamer
if [ "$ARM" = daemon ]; then start_daemon; else record; fi
sleep "$SETTLE_SECS"

mark load
note load
begin_burst burst_pages="$BURST_PAGES" period_ms="$BURST_PERIOD_MS" hold_ms="$BURST_HOLD_MS" order="$ORDER"
sleep "$LOAD_SECS"
end_burst memburst.txt
note after-load
mark after-load

if [ "$ARM" = daemon ]; then
    kill $streamer
    sleep "$CALM_SECS"
    note calm
    # A load that does not change: the value must come to rest.
    stream /mnt/hole 0 "$STEADY_MIB" 100000 >/dev/null &
    streamer=$!
    mark settling
    sleep "$SETTLING_SECS"
    mark steady
    note steady
    sleep "$STEADY_SECS"
    mark after-steady
    note after-steady
    stop_daemon
    note end
fi
kill $streamer 2>/dev/null
exit 0
