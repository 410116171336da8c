# Memory is lost for hours at a steady rate, or none is for days, on a server that has little to do. The daemon is as it is
# shipped: nothing is shortened.
. /vm/lib.sh

seconds() { cut -d. -f1 /proc/uptime; }

# A disk in memory: waiting for one outside, a machine whose time is skipped would be minutes older when the answer comes.
make_disk() {
    echo 512M >/sys/block/zram0/disksize
    mke2fs -F /dev/zram0 >/dev/null || die "mke2fs failed"
    mount -t ext4 /dev/zram0 /mnt || mount -t ext2 /dev/zram0 /mnt || die "no disk"
    truncate -s 2G /mnt/hole
    mkdir -p /mnt/files
}

# Every ten minutes: some files are read, some are written, processes come and go. More would be most of what the machine does,
# and all that it does takes time outside.
run_errands() {
    round=0
    while :; do
        dd if=/mnt/hole of=/dev/null bs=1M count=1 skip=$((round % 2000)) 2>/dev/null
        dd if=/dev/zero of=/mnt/files/$((round % 50)) bs=64k count=$((1 + round * 7 % 13)) 2>/dev/null
        sh -c 'ls -l /proc/self /mnt/files' >/dev/null
        round=$((round + 1))
        sleep 590
    done
}

# On top of that, a day: a program that takes a tenth of memory for a while every hour, connections and temporary files every six,
# and at night a backup that reads all files and makes many small ones.
keep_hours() {
    tenth=$(awk '/^MemTotal/ { print int($2 / 10240) }' /proc/meminfo)
    hour=0
    while :; do
        case $((hour % 24)) in
            3)
                stream /mnt/hole $((tenth * 9)) >/dev/null
                (cd /mnt/files && seq 1 4000 | xargs touch)
                sleep 600
                rm -rf /mnt/files
                mkdir /mnt/files
                ;;
            6 | 12 | 18)
                network 8 20 2 >/dev/null
                dd if=/dev/zero of=/dev/shm/temporary bs=1M count="$tenth" 2>/dev/null
                sleep 1800
                rm /dev/shm/temporary
                ;;
        esac
        hold anon $((tenth * (1 + hour % 3) / 2)) 900 >/dev/null
        hour=$((hour + 1))
        sleep $((hour * 3600 - ($(seconds) - began)))
    done
}

# Notes how much is lost by now, as often as a stretch of the shortest horizon lasts, for so many seconds.
follow() {
    until=$(($(seconds) + $1))
    while [ "$(seconds)" -lt "$until" ]; do
        echo "$(seconds) $(lost_kib)" >>/out/lost.txt
        sleep 300
    done
}

# What there is of the incidents, for whoever reads them later.
keep_incidents() {
    adaptivemmd incidents list --json >/out/incidents.jsonl
    for id in $(grep -o '"id":"[^"]*"' /out/incidents.jsonl | cut -d'"' -f4); do
        adaptivemmd incidents show "$id" --json >"/out/$id.json"
        adaptivemmd incidents show "$id" >"/out/$id.txt"
        adaptivemmd incidents show "$id" --html >"/out/$id.html"
    done
}

# A growth that the exact accounting explains is an info, and no report.
is_silent() { [ ! -s /out/incidents.jsonl ] && silent_about '\(warning\|notice\) *memleak: Possible'; }

make_disk
start_daemon
began=$(seconds)
run_errands &
errands=$!
if [ "$CLASS" = none ]; then
    keep_hours &
    hours=$!
    sleep "$QUIET_SECS"
    kill "$hours"
    keep_incidents
    check "nothing was reported in $((QUIET_SECS / 3600)) hours" is_silent
else
    sleep "$QUIET_SECS"
    adaptivemmd incidents list --json >/out/incidents.jsonl
    check "nothing was reported in the $((QUIET_SECS / 3600)) hours before" is_silent
    begin_leak "$CLASS" max=100000000 $PARAMETERS
    seconds >/out/began
    mark leak
    follow "$LOSE_SECS"
    echo "$(seconds) $(lost_kib)" >>/out/lost.txt
    keep_incidents
    end_leak
    mark given-back
    sleep "$AFTER_SECS"
    check "that the memory came back was seen" logged 'Probably no leak: of the growth'
fi
kill "$errands"
check_end
exit 0
