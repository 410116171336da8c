part 'Upgrade from 3.0 to 3.1, and back, in the middle of work'

works without_complaint dnf install adaptivemm-module-chaos-1
# moved WHAT VERSION COMMAND...: the same, and what RPM's own scripts do.
moved() {
    moves "$1" "$2" without_complaint "${@:3}"
    check "$1: it was started once" [ "$(starts)" = 1 ]
    check "$1: it is enabled as it was" systemctl is-enabled --quiet $unit
}
moved '3.1' 3.1.0 dnf upgrade adaptivemm-3.1.0
moved 'back to 3.0' 3.0.0 dnf downgrade adaptivemm-3.0.0

dies
mark
check '3.1 replaces the dead one' without_complaint dnf upgrade adaptivemm-3.1.0
check 'a service that has failed is not started by an upgrade' is ActiveState failed
check 'the ledger is kept' knows_original
check 'it starts by hand' systemctl start $unit
rises '3.1 after a death'

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
is_of_old
mark
check '3.0 is installed again' without_complaint dnf upgrade adaptivemm-3.0.0
check 'our daemon runs' becomes is Type notify
check 'with its module' without_complaint dnf install adaptivemm-module-chaos-1
check 'it changes the tunable again' becomes holds $scale 20
keeps 'after 2.1'
