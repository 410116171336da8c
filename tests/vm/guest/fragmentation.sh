# One arm of `fragmentation`: memory is fragmented bit by bit, then programs want huge pages. As often as ROUNDS says. Everything
# happens on each node alike: without direct compaction, huge pages come from the node of the processor only.
. /vm/lib.sh

echo always >/sys/kernel/mm/transparent_hugepage/enabled
echo madvise >/sys/kernel/mm/transparent_hugepage/defrag
nodes=$(ls -d /sys/devices/system/node/node[0-9]* | sed 's/.*node//')

# Free memory of a node, in MiB.
free_of() { awk '/MemFree/ { print int($4 / 1024) }' "/sys/devices/system/node/node$1/meminfo"; }

# The processor of a node.
processor_of() { cut -d, -f1 "/sys/devices/system/node/node$1/cpulist" | cut -d- -f1; }

for node in $nodes; do eval "free_$node=$(free_of "$node")"; done
if [ "$ARM" = daemon ]; then start_daemon; else record; fi
sleep "$SETTLE_SECS"

begin=$(cut -d. -f1 /proc/uptime)
round=0
while [ $round -lt "$ROUNDS" ]; do
    mark "fill-$round"
    note "fill-$round"
    pids=
    for node in $nodes; do
        eval "free=\$free_$node"
        # Nearly all that is free is taken, half of that is given back.
        taskset -c "$(processor_of "$node")" fragment $((free * 94 / 100)) "$RATE_MIB" "$HOLD_SECS" >"/out/fragment-$round-$node.txt" &
        pids="$pids $!"
    done
    for node in $nodes; do
        await "/out/fragment-$round-$node.txt" holding "${pids##* }"
    done
    mark "fragmented-$round"
    sleep "$WAIT_SECS"
    note "burst-$round"
    mark "burst-$round"
    faulters=
    for node in $nodes; do
        eval "free=\$free_$node"
        taskset -c "$(processor_of "$node")" faults $((free * 25 / 100)) 1 0.5 1 plain >"/out/faults-$round-$node.txt" &
        faulters="$faulters $!"
    done
    wait $faulters
    note "after-$round"
    mark "after-$round"
    wait $pids
    sleep "$PAUSE_SECS"
    round=$((round + 1))
done
echo "seconds $(($(cut -d. -f1 /proc/uptime) - begin))" >/out/clock.txt
if [ "$ARM" = daemon ]; then stop_daemon; fi
exit 0
