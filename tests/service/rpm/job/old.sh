in_force() { adaptivemmd check-config --show | grep -q -e "$1.*$old_file"; }
for edited in no yes; do
    part "Upgrade from adaptivemm 2.1, and back; settings edited: $edited"
    everything >/tmp/before
    check 'the old package is installed' without_complaint dnf install adaptivemm-2.1
    if [[ $edited == yes ]]; then printf 'VERBOSE=3\nAGGRESSIVENESS=3\nENABLE_FREE_PAGE_MGMT=0\n' >$old_file; fi
    value=$(sed -n 's/^AGGRESSIVENESS=//p' $old_file)
    check 'its service runs' is ActiveState active
    mark
    check 'ours replaces it' without_complaint dnf upgrade adaptivemm-3.0.0
    check 'the settings are where they were' grep -qx "AGGRESSIVENESS=$value" $old_file
    check 'nothing was set aside' fails ls $old_file.rpmsave $old_file.rpmnew
    check 'and they are in force' in_force "aggressiveness = $value"
    check 'our daemon runs' becomes is Type notify
    check 'and works' adaptivemmd status
    check 'the old one does not' fails pgrep -x sleep -P 1
    check 'the service is enabled as it was' systemctl is-enabled --quiet $unit
    check 'back to the old package' without_complaint dnf --allowerasing downgrade adaptivemm-2.1
    check 'the settings are where they were' grep -qx "AGGRESSIVENESS=$value" $old_file
    check 'the service is the old one' is Type forking
    check 'and active' is ActiveState active
    check 'and forth again' without_complaint dnf upgrade adaptivemm-3.0.0
    check 'the settings are where they were' grep -qx "AGGRESSIVENESS=$value" $old_file
    check 'our daemon runs' becomes is Type notify
    check 'removed' without_complaint dnf remove adaptivemm
    check 'no file is left but the settings of 2.1, and what was learned' \
        diff <(grep -v -e '^/etc/adaptivemmd' /tmp/before) <(everything | grep -v -e "^$old_file" -e "^$state")
    clean
done
