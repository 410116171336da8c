part 'Upgrade from 3.0 to 3.1, and back, in the middle of work'

old_file=/etc/default/adaptivemmd
state=/var/lib/adaptivemmd
ledger=/run/adaptivemmd/ledger.json
ours=$(echo $payload/adaptivemm_3*.deb)
next=$(echo $payload/next/adaptivemm_3*.deb)
original=$(cat $scale)
mkdir -p $drop_ins /etc/sysconfig
everything >/tmp/before
printf 'AGGRESSIVENESS=3\nENABLE_COMPACTION=0\nENABLE_FREE_PAGE_MGMT=0\n' >$old_file
configure 40-test '[core]
period-secs = 1'
chaos '[modules.chaos.config]
mode = "incident"
scans = 1'
check 'it is installed, with a module' dpkg --install "$ours" $payload/adaptivemm-module-chaos_1_*.deb
incident() { adaptivemmd incidents list --json | sed -n 's/.*"id":"\([^"]*chaos\)".*/\1/p' | head -1; }
check 'the daemon keeps an incident' becomes sh -c 'adaptivemmd incidents list | grep chaos'
chaos '[modules.chaos.config]
mode = "ask"'
systemctl reload $unit
check 'and a decision, after which a tunable is changed' becomes holds $scale 20
check 'and the original value' grep "\"original\": *\"$original\"" $ledger
known=$(incident)
explain() { adaptivemmd explain --json 1 | grep '"kind":"decision"'; }
explain >/tmp/decision
cp $state/incidents/"$known"/incident.json /tmp/incident

# What must be as before, with another daemon.
keeps() {
    local what=$1
    check "$what: aggressiveness of $old_file is in force" sh -c "adaptivemmd check-config --show | grep 'aggressiveness = 3 .*$old_file'"
    check "$what: and the drop-in of /etc/adaptivemmd" sh -c 'adaptivemmd check-config --show | grep "period-secs = 1.0 .*40-test.toml"'
    check "$what: and both in the daemon" logged 'started: a scan every 1 s, modules: chaos, memleak'
    check "$what: the decision is there" cmp <(explain) /tmp/decision
    check "$what: the incident is there" cmp $state/incidents/"$known"/incident.json /tmp/incident
    check "$what: which the program shows" adaptivemmd incidents show "$known"
    check "$what: what memleak has learned is there" [ -s $state/modules/memleak.state ]
    check "$what: what it had learned is taken over" fails says 'looked at afresh\|refused'
}
# moves WHAT PACKAGE: installs it while a tunable is changed.
moves() {
    local what=$1 package=$2 process
    process=$(property MainPID)
    check "$what: a tunable is changed before" holds $scale 20
    mark
    check "$what: installed without a question" dpkg --force-downgrade --install "$package"
    check "$what: it is that version" [ "$(dpkg-query --show --showformat '${Version}' adaptivemm)" = "$(dpkg-deb --field "$package" Version)" ]
    check "$what: the service is active" is ActiveState active
    check "$what: with another daemon" is_not MainPID "$process"
    check "$what: the one before gave back what it had changed" says 'given back'
    check "$what: the next one changes it again" becomes holds $scale 20
    check "$what: and knows its original value" grep "\"original\": *\"$original\"" $ledger
    keeps "$what"
}
moves '3.1' "$next"
moves 'back to 3.0' "$ours"

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
check '3.1 replaces the dead one' dpkg --install "$next"
check 'and starts' is ActiveState active
check 'it gives back what the dead one had changed' logged 'watermark_scale_factor.*given back'
check 'before it changes it itself' becomes holds $scale 20
check 'and knows its original value' grep "\"original\": *\"$original\"" $ledger
keeps '3.1 after a death'
moves 'and back to 3.0' "$ours"

part 'From 3.0 to 2.1 in the middle of work, and forth again'
old=$(echo $payload/adaptivemm_2.1*.deb)
mark
# 2.1 has its settings there.
mv $old_file /etc/sysconfig
old_file=/etc/sysconfig/adaptivemmd
check 'the old package is installed' dpkg --force-downgrade --force-depends --force-confold --install "$old"
check 'what was changed is given back' holds $scale "$original"
check 'no daemon of 3.0 is left' fails pgrep -x adaptivemmd
check 'the service is the old one' is Type forking
check 'and active' is ActiveState active
check 'the settings are where they were' grep -qx 'AGGRESSIVENESS=3' $old_file
check 'the drop-ins, too' [ -e $drop_ins/40-test.toml ]
check 'the decision is kept' grep -q '"kind":"decision"' $state/decisions.jsonl
check 'the incident is kept' cmp $state/incidents/"$known"/incident.json /tmp/incident
mark
check '3.0 is installed again' dpkg --install "$ours"
check 'it changes the tunable again' becomes holds $scale 20
keeps 'after 2.1'
chaos "$stop_asking"
systemctl restart $unit
check 'at the end the original value is there' holds $scale "$original"
check 'purged' dpkg --purge adaptivemm-module-chaos adaptivemm
rm -f $old_file $drop_ins/*.toml
mkdir -p $drop_ins
systemctl daemon-reload
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
rm -r /etc/adaptivemmd
