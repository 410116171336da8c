# What the jobs share. Each job is a shell script that runs as the only one in its machine; what it leaves in /out comes back.
set -u
WORK=${WORK:-/tmp/load}
mkdir -p "$WORK"

# Ends the job: something is wrong with the test itself, not with the daemon.
die() {
    echo "$*" >&2
    exit 2
}

# Notes all numbers of this moment in /out/NAME.
note() {
    mkdir -p "/out/$1"
    for file in vmstat meminfo zoneinfo buddyinfo uptime pagetypeinfo; do
        cat "/proc/$file" >"/out/$1/$file" 2>/dev/null
    done
    cat /proc/pressure/memory >"/out/$1/pressure" 2>/dev/null || rm -f "/out/$1/pressure"
    cat /proc/sys/vm/watermark_scale_factor >"/out/$1/wsf"
}

# Draws a line in the log of the daemon, so that one can tell before from after.
mark() {
    echo "== $1 $(date +%T)" >>/out/daemon.log
}

# Starts the daemon, and the recorder if a trace is wanted, with the configuration of the suite.
start_daemon() {
    mkdir -p /etc/adaptivemmd/adaptivemmd.toml.d
    [ -e /vm/config.toml ] && cp /vm/config.toml /etc/adaptivemmd/adaptivemmd.toml.d/50-vm.toml
    [ -e /vm/extra.toml ] && cp /vm/extra.toml /etc/adaptivemmd/adaptivemmd.toml.d/60-extra.toml
    adaptivemmd check-config --show >/out/config.txt 2>&1 || {
        cat /out/config.txt >&2
        die "the configuration is wrong"
    }
    adaptivemmd -d -vv "$@" >>/out/daemon.log 2>&1 &
    daemon=$!
    record
}

# Records the machine, with or without the daemon, until the job is done.
record() {
    [ "$TRACE" = 1 ] && [ ! -e /out/record.log ] || return 0
    adaptivemmd record /out/trace.jsonl.zst --period-ms 1000 --note "vm: $JOB" 2>/out/record.log &
}

# Ends the daemon as an administrator would; says how it ended.
stop_daemon() {
    kill -TERM "$daemon"
    wait "$daemon"
    echo $? >/out/daemon-exit
}

# Notes whether something holds: check WHAT COMMAND...
check() {
    what=$1
    shift
    if "$@"; then echo "ok $what"; else echo "not ok $what"; fi >>/out/checks.txt
}

# Whether the log of the daemon has such a line, or has none.
logged() { grep -q "$1" /out/daemon.log; }
silent_about() { ! logged "$1"; }

# Whether the daemon runs and goes on scanning.
is_scanning() {
    lines=$(wc -l </out/daemon.log)
    sleep "${SCAN_SECS:-3}"
    kill -0 "$daemon" && [ "$(wc -l </out/daemon.log)" -gt "$lines" ]
}

# What one expects of every daemon in its last moments.
check_end() {
    check "it is scanning" is_scanning
    stop_daemon
    check "it ended with 0" [ "$(cat /out/daemon-exit)" = 0 ]
    check "no errors were logged" silent_about '^[0-9:]* *error'
}

# Waits until FILE has WORD, as the process PROCESS writes it sooner or later; for two minutes at most.
await() {
    file=$1 word=$2 process=$3 tries=0
    until grep -qs "$word" "$file"; do
        kill -0 "$process" 2>/dev/null || grep -qs "$word" "$file" || die "$file: ended before $word"
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || die "$file: no $word"
        sleep 0.1
    done
}

# A file of SIZE that can be read without a disk that could be slow: all of it is a hole.
make_hole() {
    mke2fs -q -F /dev/vda >/dev/null 2>&1 || mke2fs -F /dev/vda >/dev/null || die "mke2fs failed"
    mount -t ext4 /dev/vda /mnt || mount -t ext2 /dev/vda /mnt || die "no disk"
    truncate -s "$1" /mnt/hole
}

# Loads a module of the kernel, and those it needs, that not every machine has from the start.
load_late() {
    for file in $(cat "/vm/modules/late/$1"); do
        insmod "/vm/modules/late/$file" 2>/dev/null
    done
    grep -q "^$1 " /proc/modules || die "$1: not loaded"
}

# What the classic formula misses, in KiB.
missing() {
    adaptivemmd snapshot | grep -o '"unaccounted_bytes": *[0-9]*' | grep -o '[0-9]*$' | awk '{ print int($1 / 1024) }'
}

# Begins to lose memory: begin_leak CLASS NAME=NUMBER..., the parameters of memleak_sim.
begin_leak() {
    what=$1 leaker=
    shift
    case $what in
        pipes | packet-ring | dma-buf | dma-cma)
            LOST_FILE=$WORK/lost lose "$what" "$@" &
            leaker=$!
            ;;
        *)
            order=0
            case $what in *-order*) order=${what#*-order} ;; esac
            insmod /vm/modules/extra/memleak_sim.ko what="${what%-order*}" order="$order" "$@" || die "memleak_sim: not loaded"
            ;;
    esac
}

# How much is lost by now, in KiB.
lost_kib() {
    if [ -n "$leaker" ]; then cat "$WORK/lost"; else cat /sys/module/memleak_sim/parameters/lost; fi
}

# Gives it back.
end_leak() {
    if [ -n "$leaker" ]; then
        kill "$leaker"
        wait "$leaker" 2>/dev/null
    else
        rmmod memleak_sim
    fi
}

# Begins memburst with the given parameters.
begin_burst() {
    insmod "/vm/modules/extra/memburst.ko" "$@" || die "memburst: not loaded"
}

# Notes what memburst did, in /out/NAME, and ends it.
end_burst() {
    for number in bursts allocations failures max_us classes; do
        echo "$number $(cat /sys/module/memburst/parameters/$number)"
    done >"/out/$1"
    rmmod memburst
}
