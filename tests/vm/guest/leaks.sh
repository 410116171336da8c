# Memory is lost in many ways, each slowly and at once. Each time a daemon is started that knows nothing of the last.
. /vm/lib.sh

# What the classic formula misses, in KiB.
missing() {
    adaptivemmd snapshot | grep -o '"unaccounted_bytes": *[0-9]*' | grep -o '[0-9]*$' | awk '{ print int($1 / 1024) }'
}

# lose NAME SECS PARAMETER...
lose() {
    name=$1 secs=$2
    shift 2
    start_daemon
    sleep 5
    mark "leak-$name"
    insmod /vm/modules/extra/memleak_sim.ko secs="$secs" "$@" || die "memleak_sim: not loaded"
    sleep $((secs + 4))
    echo "$name $(cat /sys/module/memleak_sim/parameters/lost)" >>/out/lost.txt
    mark "released-$name"
    rmmod memleak_sim
    stop_daemon
    sleep 1
}

total=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
for class in $CLASSES; do
    what=${class%-order*}
    most=$((total / 3))
    # The kernel gives each processor more than was asked for: 6.12 ran out of memory at a third.
    [ "$what" = percpu ] && most=$((total / 6))
    order=0
    case $class in *-order*) order=${class#*-order} ;; esac
    for speed in $SPEEDS; do
        case $speed in
            # Each second the classic formula misses about a fifth more.
            slow) echo 1 >/proc/sys/vm/compact_memory; lose "$class-slow" 15 what="$what" order="$order" rate=$(($(missing) / 5)) growth=18 noise=5 max=$most ;;
            fast) lose "$class-fast" 8 what="$what" order="$order" rate=0 step=$most step_secs=3 max=$most ;;
        esac
    done
done
exit 0
