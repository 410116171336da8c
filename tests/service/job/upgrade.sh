part 'Upgrade from adaptivemm 2.1, and back'

old_file=/etc/sysconfig/adaptivemmd
# A directory of many packages.
mkdir -p ${old_file%/*}
everything >/tmp/before
check 'the old package is installed' dpkg --install $payload/adaptivemm_2.1*.deb
printf 'VERBOSE=3\nAGGRESSIVENESS=3\nENABLE_FREE_PAGE_MGMT=0\n' >$old_file
if [[ -d /run/systemd/system ]]; then check 'its service runs' is ActiveState active; fi

check 'ours replaces it without a question' dpkg --install $payload/adaptivemm_3*.deb
in_force() { adaptivemmd check-config --show | grep -q -e "$1.*$old_file"; }
check 'the edited settings are as they were' grep -qx 'AGGRESSIVENESS=3' $old_file
check 'and in force: aggressiveness' in_force 'aggressiveness = 3'
check 'and in force: a module that is off' in_force 'enabled = false'
if [[ -d /run/systemd/system ]]; then
    check 'our daemon runs' sh -c 'adaptivemmd modules | grep "^free-pages" | grep -q disabled'
    check 'the old one does not' fails pgrep -x sleep -P 1
    check 'the service is the new one' is Type notify
fi

check 'back to the old package' dpkg --force-downgrade --install $payload/adaptivemm_2.1*.deb
check 'the edited settings are as they were' grep -qx 'AGGRESSIVENESS=3' $old_file
if [[ -d /run/systemd/system ]]; then
    check 'the service is the old one' is Type forking
    check 'and active' is ActiveState active
fi
check 'and forth again' dpkg --install $payload/adaptivemm_3*.deb
check 'the edited settings are as they were' grep -qx 'AGGRESSIVENESS=3' $old_file
if [[ -d /run/systemd/system ]]; then check 'our daemon runs' is ActiveState active; fi
check 'purged' dpkg --purge adaptivemm
systemctl daemon-reload 2>/dev/null
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
