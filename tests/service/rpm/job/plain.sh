part 'Packages built without the macros of systemd, where its triggers are not, either'

rpm --erase --nodeps systemd
change() { without_complaint rpm --upgrade --oldpackage --nodeps "$@"; }
everything >/tmp/before
check 'with a preset it is installed' change "$(file plain adaptivemm 3.0.0)"
check 'and enabled' systemctl is-enabled --quiet $unit
check 'the service manager knows the unit' is LoadState loaded
check 'it starts' systemctl start $unit
process=$(property MainPID)
mark
check 'the next one replaces it' change "$(file plain adaptivemm 3.1.0)"
check 'the service is active' becomes is ActiveState active
check 'with another daemon' is_not MainPID "$process"
check 'it is enabled as it was' systemctl is-enabled --quiet $unit
mark
check 'a module comes' change "$(file plain adaptivemm-module-cache-pressure 3.1.0)"
check 'the service was started anew' logged 'started: '
mark
check 'and goes' without_complaint rpm --erase adaptivemm-module-cache-pressure
check 'the service was started anew' logged 'started: '
check 'back to 2.1' change "$(file plain adaptivemm 2.1)"
check 'the service is the old one' becomes is Type forking
check 'and active' becomes is ActiveState active
check 'and forth again' change "$(file plain adaptivemm 3.0.0)"
check 'the service is the new one' becomes is Type notify
check 'and active' becomes is ActiveState active
check 'removed' without_complaint rpm --erase adaptivemm
check 'the service has stopped' fails pgrep -x adaptivemmd
check 'the service manager does not know it any more' is LoadState not-found
check 'without a preset it is installed' change "$(file plain adaptivemm 3.1.0)"
check 'and not enabled' fails systemctl is-enabled --quiet $unit
check 'removed' without_complaint rpm --erase adaptivemm
clean
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
rpm --install $packages/system/systemd-2*.rpm
