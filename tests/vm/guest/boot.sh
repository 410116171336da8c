# The machine is up, and the daemon with all its modules runs in it.
. /vm/lib.sh

start_daemon
sleep "$SECS"
check "it started" logged "started: a scan every"
check "no warning" silent_about '^[0-9:]* *warning'
check_end
exit 0
