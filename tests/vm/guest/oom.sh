# The machine runs out of memory, twice, and with LEAK=1 while memory is being lost. It is not the daemon that has to die, and
# it forgets nothing.
. /vm/lib.sh

killed() { awk '/^oom_kill / { print $2 }' /proc/vmstat; }
# The names of all incidents that are kept.
incidents() { adaptivemmd incidents list --json | grep -o '"id":"[^"]*"'; }
are_kept() {
    incidents >/out/incidents-after.txt
    for incident in $(cat /out/incidents-before.txt); do
        grep -qF "$incident" /out/incidents-after.txt || return 1
    done
}

start_daemon
sleep 5
if [ "$LEAK" = 1 ]; then
    begin_leak pages-order0 rate=0 step=100000 step_secs=2 max=100000
    sleep 12
    check "a leak of $(($(lost_kib) / 1024)) MiB is reported" logged 'warning *memleak: Possible'
    incidents >/out/incidents-before.txt
    check "it is an incident" [ -s /out/incidents-before.txt ]
fi
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
# With a leak there is evidence, too.
most=$((8192 + LEAK * 4096))
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$daemon/status")
check "it needs little memory ($rss kB)" [ "$rss" -lt "$most" ]
check "it answers" adaptivemmd modules
if [ "$LEAK" = 1 ]; then
    check "the incident is still there" are_kept
else
    check "no leak is reported" silent_about 'warning *memleak: Possible'
fi
check_end
if [ "$LEAK" = 1 ]; then check "and when the daemon has ended, too" are_kept; fi
exit 0
