# Memory is lost on a kernel that counts who allocated it. What its files said before and after comes back, too.
. /vm/lib.sh
mount -t debugfs none /sys/kernel/debug || die "no debugfs"

# keep_files NAME: what the collectors of evidence read, as a tree in /out/NAME.
keep_files() {
    for file in /proc/meminfo /proc/vmstat /proc/slabinfo /proc/vmallocinfo /proc/allocinfo \
        /sys/kernel/debug/page_owner_stacks/show_stacks /sys/kernel/debug/dma_buf/bufinfo \
        /sys/kernel/dmabuf/buffers/*/* /sys/kernel/mm/cma/*/* /sys/block/zram*/mm_stat; do
        [ -f "$file" ] || continue
        mkdir -p "/out/$1${file%/*}"
        cat "$file" >"/out/$1$file"
    done
}

# A device full of what cannot be compressed: it loses nothing, and swap on it would take as much.
fill_zram() {
    echo 128M >/sys/block/zram0/disksize
    dd if=/dev/urandom of=/dev/zram0 bs=1M count=96 2>/dev/null
}

for leak in $LEAKS; do
    start_daemon
    sleep 6
    keep_files "$leak/before"
    mark "leak-$leak"
    case $leak in
        zram) fill_zram ;;
        *) begin_leak "$leak" rate=0 step="$KIB" step_secs=1 max="$KIB" secs=3 ;;
    esac
    sleep 10
    keep_files "$leak/after"
    mark "released-$leak"
    adaptivemmd incidents show --json >"/out/$leak/incident.json"
    adaptivemmd incidents show >"/out/$leak/report.txt"
    case $leak in
        zram) echo 1 >/sys/block/zram0/reset ;;
        *) lost_kib >"/out/$leak/lost" && end_leak ;;
    esac
    stop_daemon
    # What the next daemon must not take for its own.
    rm -rf /var/lib/adaptivemmd /run/adaptivemmd
done
exit 0
