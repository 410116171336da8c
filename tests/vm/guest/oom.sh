# The machine runs out of memory, twice. It is not the daemon that has to die.
. /vm/lib.sh

start_daemon
sleep 5
killed() { awk '/^oom_kill / { print $2 }' /proc/vmstat; }
for round in 1 2; do
    mark "oom-$round"
    # Many small ones, so that the daemon is not small among them.
    for i in 1 2 3 4 5 6 7 8; do
        hold anon $(($(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo) / 6)) 6 >/dev/null 2>&1 &
    done
    sleep 20
    mark "after-oom-$round"
done
check "the kernel killed for memory ($(killed) processes)" [ "$(killed)" -gt 0 ]
check "the daemon was not among them" kill -0 "$daemon"
check "it needs little memory ($(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status") kB)" [ "$(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status")" -lt 8192 ]
check "no leak is reported" silent_about 'warning *memleak: Possible'
check_end
exit 0
