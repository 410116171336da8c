# Memory is used in many ways that lose none of it. The daemon must say nothing.
. /vm/lib.sh

total_mib=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
third=$((total_mib / 3))
make_hole 4G
start_daemon
sleep 8

# load NAME BEGIN END: does BEGIN, waits, does END.
load() {
    case " $LOADS " in *" $1 "* | *" all "*) ;; *) return ;; esac
    mark "$1"
    eval "$2"
    sleep "$HOLD_SECS"
    eval "$3"
    sleep 3
}

in_tmpfs() { mkdir -p /tmpfs && mount -t tmpfs -o size=90% tmpfs /tmpfs && dd if=/dev/zero of=/tmpfs/file bs=1M count=$third 2>/dev/null; }
files() { mkdir -p /mnt/files && (cd /mnt/files && seq 1 6000 | xargs touch); }
held() { hold "$@" >/dev/null & }

load cache 'stream /mnt/hole $((third * 2)) >/dev/null' 'echo 3 >/proc/sys/vm/drop_caches'
load anon 'held anon $third $HOLD_SECS' 'wait $!'
load huge 'held huge $third $HOLD_SECS' 'wait $!'
load mlock 'held mlock $third $HOLD_SECS' 'wait $!'
load tmpfs in_tmpfs 'umount /tmpfs'
load hugetlb 'echo $((third / 2)) >/proc/sys/vm/nr_hugepages' 'echo 0 >/proc/sys/vm/nr_hugepages'
load ptes 'held ptes $((third / 4)) $HOLD_SECS' 'wait $!'
load tasks 'held tasks 400 $HOLD_SECS' 'wait $!'
load files files 'rm -rf /mnt/files; echo 2 >/proc/sys/vm/drop_caches'
load bursts 'faults $((third / 2)) 1 0.5 $HOLD_SECS >/dev/null' :
load swap 'echo $((third))M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0 && held anon $((total_mib * 9 / 10)) $HOLD_SECS' 'wait $!; swapoff /dev/zram0'
mark end
stop_daemon
exit 0
