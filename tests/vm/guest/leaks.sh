# Memory is lost in many ways, slowly and at once. Each time a daemon is started that knows nothing of the last.
. /vm/lib.sh

# lose_with_daemon NAME CLASS SECS PARAMETER...
lose_with_daemon() {
    name=$1 class=$2 secs=$3
    shift 3
    start_daemon
    sleep 5
    mark "leak-$name"
    begin_leak "$class" secs="$secs" "$@"
    # Some scans more: a detector may want to see three of them.
    sleep $((secs + 8))
    echo "$name $(lost_kib)" >>/out/lost.txt
    mark "released-$name"
    adaptivemmd incidents list --json >"/out/incidents-$name.jsonl"
    if [ -s "/out/incidents-$name.jsonl" ]; then
        # An emulated processor takes seconds for the evidence, and whoever is looked through must not end meanwhile.
        tries=0
        while adaptivemmd incidents show | grep -q 'compared yet' && [ $tries -lt 30 ]; do
            sleep 1
            tries=$((tries + 1))
        done
        adaptivemmd incidents show >"/out/report-$name.txt"
        adaptivemmd incidents show --html >"/out/report-$name.html"
    fi
    end_leak
    stop_daemon
    # What the next daemon must not take for its own.
    rm -rf /var/lib/adaptivemmd /run/adaptivemmd
}

total=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
for leak in $LEAKS; do
    class=${leak%-*}
    most=$((total / 3))
    # The kernel gives each processor more than was asked for: 6.12 ran out of memory at a third.
    [ "$class" = percpu ] && most=$((total / 6))
    case ${leak##*-} in
        # Each second the classic formula misses about a fifth more.
        slow)
            echo 1 >/proc/sys/vm/compact_memory
            lose_with_daemon "$leak" "$class" 15 rate=$(($(missing) / 5)) growth=18 noise=5 max=$most
            ;;
        fast) lose_with_daemon "$leak" "$class" 8 rate=0 step=$most step_secs=3 max=$most ;;
        # Less than a tenth of what the classic formula misses each second: none of its rules sees it.
        constant) lose_with_daemon "$leak" "$class" 20 rate=$(($(missing) / 20)) max=$most ;;
        *) die "$leak: no such speed" ;;
    esac
done
exit 0
