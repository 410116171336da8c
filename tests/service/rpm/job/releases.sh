part 'Upgrade from 3.0 to 3.1, and back, in the middle of work'

printf 'AGGRESSIVENESS=3\nENABLE_COMPACTION=0\nENABLE_FREE_PAGE_MGMT=0\n' >$old_file
configure 40-test '[core]
period-secs = 1'
chaos '[modules.chaos.config]
mode = "incident"
scans = 1'
check 'a module is installed' without_complaint dnf install adaptivemm-module-chaos-1
check 'the daemon keeps an incident' becomes sh -c 'adaptivemmd incidents list | grep chaos'
known=$(adaptivemmd incidents list --json | sed -n 's/.*"id":"\([^"]*chaos\)".*/\1/p' | head -1)
chaos '[modules.chaos.config]
mode = "ask"'
systemctl reload $unit
check 'and a decision, after which a tunable is changed' becomes holds $scale 20
check 'and what its modules have learned' becomes [ -s $state/modules/memleak.state ]
check 'and the original value' grep -q "\"original\": *\"$original\"" $ledger
decision=$(adaptivemmd explain --json | sed -n 's/.*"kind":"decision".*"id":\([0-9]*\).*/\1/p' | tail -1)
explain() { adaptivemmd explain --json "$decision" | grep '"kind":"decision"'; }
check 'the decision can be shown' explain
explain >/tmp/decision
cp $state/incidents/"$known"/incident.json /tmp/incident

# What must be as before, with another daemon.
keeps() {
    local what=$1
    check "$what: aggressiveness of $old_file is in force" sh -c "adaptivemmd check-config --show | grep 'aggressiveness = 3 .*$old_file'"
    check "$what: and the drop-in of /etc/adaptivemmd" sh -c 'adaptivemmd check-config --show | grep "period-secs = 1.0 .*40-test.toml"'
    check "$what: and both in the daemon" logged 'started: a scan every 1 s, modules: chaos, memleak'
    check "$what: nothing was set aside" fails ls $old_file.rpmsave $old_file.rpmnew
    check "$what: the decision is there" cmp <(explain) /tmp/decision
    check "$what: the incident is there" cmp $state/incidents/"$known"/incident.json /tmp/incident
    check "$what: which the program shows" adaptivemmd incidents show "$known"
    check "$what: what memleak had learned is taken over" fails says 'looked at afresh\|refused'
}
# moves WHAT VERSION COMMAND...: while a tunable is changed.
moves() {
    local what=$1 to=$2 process
    shift 2
    process=$(property MainPID)
    check "$what: a tunable is changed before" holds $scale 20
    mark
    check "$what: without a complaint" without_complaint "$@"
    check "$what: it is that version" is_version adaptivemm "$to"
    check "$what: the service is active" is ActiveState active
    check "$what: with another daemon" is_not MainPID "$process"
    check "$what: it was started once" [ "$(starts)" = 1 ]
    check "$what: the one before gave back what it had changed" says 'given back'
    check "$what: the next one changes it again" becomes holds $scale 20
    check "$what: and knows its original value" grep -q "\"original\": *\"$original\"" $ledger
    check "$what: it is enabled as it was" systemctl is-enabled --quiet $unit
    keeps "$what"
}
moves '3.1' 3.1.0 dnf upgrade adaptivemm-3.1.0
moves 'back to 3.0' 3.0.0 dnf downgrade adaptivemm-3.0.0

# Nothing gives back what this one has changed, neither itself nor systemd.
mkdir -p /run/systemd/system/$unit.d
printf '[Service]\nExecStopPost=\nRestart=no\n' >/run/systemd/system/$unit.d/70-dead.conf
systemctl daemon-reload
systemctl kill --signal=KILL --kill-whom=main $unit
becomes is ActiveState failed
rm /run/systemd/system/$unit.d/70-dead.conf
systemctl daemon-reload
check 'a dead daemon leaves a changed tunable' holds $scale 20
mark
check '3.1 replaces the dead one' without_complaint dnf upgrade adaptivemm-3.1.0
check 'a service that has failed is not started by an upgrade' is ActiveState failed
check 'the ledger is kept' grep -q "\"original\": *\"$original\"" $ledger
check 'it starts by hand' systemctl start $unit
check 'it gives back what the dead one had changed' logged 'watermark_scale_factor.*given back'
check 'before it changes it itself' becomes holds $scale 20
check 'and knows its original value' grep -q "\"original\": *\"$original\"" $ledger
keeps '3.1 after a death'

systemctl disable --quiet $unit
systemctl stop $unit
check 'a service that somebody has stopped and disabled' without_complaint dnf downgrade adaptivemm-3.0.0
check 'is not started' is ActiveState inactive
check 'nor enabled' fails systemctl is-enabled --quiet $unit
systemctl enable --quiet --now $unit
check 'it changes the tunable again' becomes holds $scale 20

part 'From 3.0 to 2.1 in the middle of work, and forth again'
mark
check 'modules keep the core from going' [ "$(dnf downgrade adaptivemm-2.1 >/dev/null 2>&1; version adaptivemm)" = 3.0.0 ]
check 'the old package is installed where they may be removed' without_complaint dnf --allowerasing downgrade adaptivemm-2.1
check 'it is that version' is_version adaptivemm 2.1
check 'what was changed is given back' becomes holds $scale "$original"
check 'no daemon of 3.0 is left' fails pgrep -x adaptivemmd
check 'the service is the old one' is Type forking
check 'and active' is ActiveState active
check 'the settings are where they were' grep -qx 'AGGRESSIVENESS=3' $old_file
check 'the drop-ins, too' [ -e $drop_ins/40-test.toml ]
check 'the decision is kept' grep -q '"kind":"decision"' $state/decisions.jsonl
check 'the incident is kept' cmp $state/incidents/"$known"/incident.json /tmp/incident
mark
check '3.0 is installed again' without_complaint dnf upgrade adaptivemm-3.0.0
check 'our daemon runs' becomes is Type notify
check 'with its module' without_complaint dnf install adaptivemm-module-chaos-1
check 'it changes the tunable again' becomes holds $scale 20
keeps 'after 2.1'
