# A daemon in the middle of work, and that another one goes on from what it leaves: settings, decisions, incidents, what modules have
# learned, and a tunable that is changed. Sourced by the jobs of Debian and of RPM, which say how packages are installed: they set
# `old_file`, where 2.1 has its settings, and `original`, and define `is_version PACKAGE VERSION`.
state=/var/lib/adaptivemmd
ledger=/run/adaptivemmd/ledger.json

explain() { adaptivemmd explain --json "$decision" | grep '"kind":"decision"'; }
knows_original() { grep "\"original\": *\"$original\"" $ledger; }

# works COMMAND...: installs the module that misbehaves by the command, and lets the daemon do something of each kind.
works() {
    printf 'AGGRESSIVENESS=3\nENABLE_COMPACTION=0\nENABLE_FREE_PAGE_MGMT=0\n' >"$old_file"
    configure 40-test '[core]
period-secs = 1'
    chaos '[modules.chaos.config]
mode = "incident"
scans = 1'
    check 'a module is installed' "$@"
    check 'the daemon keeps an incident' becomes sh -c 'adaptivemmd incidents list | grep chaos'
    known=$(adaptivemmd incidents list --json | sed -n 's/.*"id":"\([^"]*chaos\)".*/\1/p' | head -1)
    chaos '[modules.chaos.config]
mode = "ask"'
    systemctl reload $unit
    check 'and a decision, after which a tunable is changed' becomes holds $scale 20
    check 'and the original value' knows_original
    decision=$(adaptivemmd explain --json | sed -n 's/.*"kind":"decision".*"id":\([0-9]*\).*/\1/p' | tail -1)
    check 'the decision can be shown' explain
    explain >/tmp/decision
    cp $state/incidents/"$known"/incident.json /tmp/incident
}

# keeps WHAT: what must be as before, with another daemon.
keeps() {
    local what=$1
    check "$what: aggressiveness of $old_file is in force" sh -c "adaptivemmd check-config --show | grep 'aggressiveness = 3 .*$old_file'"
    check "$what: and the drop-in of /etc/adaptivemmd" sh -c 'adaptivemmd check-config --show | grep "period-secs = 1.0 .*40-test.toml"'
    check "$what: and both in the daemon" logged 'started: a scan every 1 s, modules: chaos, memleak'
    check "$what: nothing was set aside" fails ls "$old_file".rpmsave "$old_file".rpmnew "$old_file".dpkg-old "$old_file".dpkg-dist
    check "$what: the decision is there" cmp <(explain) /tmp/decision
    check "$what: the incident is there" cmp $state/incidents/"$known"/incident.json /tmp/incident
    check "$what: which the program shows" adaptivemmd incidents show "$known"
    check "$what: what memleak has learned is there" becomes [ -s $state/modules/memleak.state ]
    check "$what: what it had learned is taken over" fails says 'looked at afresh\|refused'
}

# moves WHAT VERSION COMMAND...: to that version by the command, while a tunable is changed.
moves() {
    local what=$1 to=$2 process
    shift 2
    process=$(property MainPID)
    check "$what: a tunable is changed before" holds $scale 20
    mark
    check "$what: installed without a question" "$@"
    check "$what: it is that version" is_version adaptivemm "$to"
    check "$what: the service is active" is ActiveState active
    check "$what: with another daemon" is_not MainPID "$process"
    check "$what: the one before gave back what it had changed" says 'restored to'
    check "$what: the next one changes it again" becomes holds $scale 20
    check "$what: and knows its original value" knows_original
    keeps "$what"
}

# Nothing gives back what this one has changed, neither itself nor systemd.
dies() {
    mkdir -p /run/systemd/system/$unit.d
    printf '[Service]\nExecStopPost=\nRestart=no\n' >/run/systemd/system/$unit.d/70-dead.conf
    systemctl daemon-reload
    systemctl kill --signal=KILL --kill-whom=main $unit
    becomes is ActiveState failed
    rm /run/systemd/system/$unit.d/70-dead.conf
    systemctl daemon-reload
    check 'a dead daemon leaves a changed tunable' holds $scale 20
}

# rises WHAT: the one after it makes that good.
rises() {
    check 'it gives back what the dead one had changed' logged 'watermark_scale_factor restored to'
    check 'before it changes it itself' becomes holds $scale 20
    check 'and knows its original value' knows_original
    keeps "$1"
}

# 2.1 is installed, and what it does not know is kept for the next 3.0.
is_of_old() {
    check 'what was changed is given back' becomes holds $scale "$original"
    check 'no daemon of 3.0 is left' fails pgrep -x adaptivemmd
    check 'the service is the old one' is Type forking
    check 'and active' is ActiveState active
    check 'the settings are where they were' grep -qx 'AGGRESSIVENESS=3' "$old_file"
    check 'the drop-ins, too' [ -e $drop_ins/40-test.toml ]
    check 'the decision is kept' grep -q '"kind":"decision"' $state/decisions.jsonl
    check 'the incident is kept' cmp $state/incidents/"$known"/incident.json /tmp/incident
}
