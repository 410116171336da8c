part 'A module changes something, and the daemon dies'

mark
check 'a package with a module is installed while the service runs' dpkg --install $payload/adaptivemm-module-chaos_1_*.deb
check 'the service was started anew with it' logged 'started: .*chaos'
check 'the module is listed as a file' sh -c 'adaptivemmd modules | grep -A 2 "^chaos " | grep -q /modules/chaos.so'
check 'it changes what it asks for' becomes holds $scale 20
change() { since -t adaptivemmd TUNABLE=vm.watermark_scale_factor --output=json | grep MODULE | grep chaos | grep -q "\"OLD\":\"$original\""; }
check 'the journal knows by fields what was changed, by whom, and what it was' becomes change
check 'a decision explains it' sh -c 'adaptivemmd explain | grep -q chaos'

# For the next daemon, which would otherwise change it again.
stop_asking='[modules.chaos]
enabled = false'
dies() {
    local how=$1 restarts
    shift
    chaos '[modules.chaos.config]
mode = "ask"'
    systemctl reload $unit
    check "$how: it is changed before" becomes holds $scale 20
    chaos "$stop_asking"
    restarts=$(property NRestarts)
    mark
    "$@"
    check "$how: the service is started again" becomes is NRestarts $((restarts + 1))
    check "$how: it runs" becomes is SubState running
    check "$how: what was changed is given back" holds $scale "$original"
}
dies 'killed' systemctl kill --signal=KILL --kill-whom=main $unit
check 'killed: the service manager says so' manager_says 'code=killed, status=9/KILL'
check 'killed: the log says what was given back' says 'watermark_scale_factor restored to'

mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nWatchdogSec=%s\nTimeoutStopSec=2\nTimeoutAbortSec=2\n' $((4 * PATIENCE)) >/run/systemd/system/$unit.d/80-watchdog.conf
systemctl daemon-reload
systemctl restart $unit
check 'with a short watchdog the service stays up' is ActiveState active
dies 'hung' systemctl kill --signal=STOP --kill-whom=main $unit
check 'hung: it was the watchdog' manager_says 'Watchdog timeout'
rm /run/systemd/system/$unit.d/80-watchdog.conf
systemctl daemon-reload
systemctl restart $unit

part 'A module ends the daemon'
restarts=$(property NRestarts)
mark
chaos '[modules.chaos.config]
mode = "exit"'
# The answer may not come: the daemon ends in its next scan.
systemctl reload $unit
check 'exit(0) of a module in the daemon: the service is started again' becomes is_not NRestarts "$restarts"
check 'the next daemon knows who it was' logged 'module chaos was running when the daemon died'
check 'after the second time the module is not started' logged 'chaos: quarantined'
check 'and the service runs' becomes is SubState running

part 'A module in a process of its own'
mark
chaos '[modules.chaos]
isolation = "process"
[modules.chaos.config]
mode = "escape"'
check 'it can be reloaded into one' systemctl reload $unit
for attempt in open write socket pair fork run thread setuid 'kill the daemon'; do
    check "it cannot: $attempt" logged "chaos: $attempt: no"
done
mark
chaos '[modules.chaos]
isolation = "process"
[modules.chaos.config]
mode = "exit"'
process=$(property MainPID)
systemctl reload $unit
check 'when it ends, it is started again' logged 'chaos: .*started again'
check 'and the daemon goes on' is MainPID "$process"
mark
chaos '[modules.chaos]
isolation = "process"
[modules.chaos.config]
mode = "spin"'
systemctl reload $unit
check 'one that hangs is ended' logged 'chaos: .*quarantined'
check 'and the daemon goes on' is MainPID "$process"

mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nExecStart=\nExecStart=/usr/bin/adaptivemmd --foreground\n' >/run/systemd/system/$unit.d/75-link.conf
chaos '[modules.chaos]
isolation = "process"
[modules.chaos.config]
mode = "ask"'
systemctl daemon-reload
check 'started by its name in /usr/bin, the daemon runs' systemctl restart $unit
check 'and its modules in processes of their own, too' becomes holds $scale 20
rm /run/systemd/system/$unit.d/75-link.conf
systemctl daemon-reload
systemctl restart $unit
