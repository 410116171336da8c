part 'Where no systemd runs, as when an image is made'

everything >/tmp/before
check 'with a preset it is installed' without_complaint dnf install adaptivemm-3.0.0
check 'and enabled' systemctl is-enabled --quiet $unit
check 'the next one replaces it' without_complaint dnf upgrade adaptivemm-3.1.0
check 'it is enabled as it was' systemctl is-enabled --quiet $unit
check 'removed' without_complaint dnf remove adaptivemm
check 'and not enabled any more' fails ls /etc/systemd/system/multi-user.target.wants/$unit
check 'the old package is installed' rpm --install "$(file repository adaptivemm 2.1)"
printf 'VERBOSE=3\nAGGRESSIVENESS=3\n' >$old_file
check 'ours replaces it' without_complaint rpm --upgrade "$(file repository adaptivemm 3.0.0)"
check 'the settings are where they were' grep -qx 'AGGRESSIVENESS=3' $old_file
check 'and in force' sh -c "adaptivemmd check-config --show | grep 'aggressiveness = 3.*$old_file'"
check 'removed' without_complaint rpm --erase adaptivemm
clean
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
