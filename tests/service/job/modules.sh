part 'Packages of modules come and go'

chaos '[modules.chaos.config]
mode = "ask"'
systemctl restart $unit
check 'it is changed before' becomes holds $scale 20
mark
check 'a module is removed while the service runs' dpkg --remove adaptivemm-module-chaos
check 'what it had changed is given back' becomes holds $scale "$original"
check 'the service runs' becomes is SubState running
check 'the module is gone' fails sh -c 'adaptivemmd modules | grep -q "^chaos"'
check 'what is still configured for it is a warning' says 'chaos. is not installed'
rm $drop_ins/60-chaos.toml

mark
check 'a module that the core was built without is installed' dpkg --install $payload/adaptivemm-module-cache-pressure_*.deb
check 'it is there, and off by default' sh -c 'adaptivemmd modules | grep "^cache-pressure" | grep -q disabled'
configure 60-more 'ENABLE_CACHE_PRESSURE_MGMT = 1'
check 'it is switched on by a reload' systemctl reload $unit
check 'and runs' becomes sh -c 'adaptivemmd modules | grep "^cache-pressure" | grep -q running'
rm $drop_ins/60-more.toml
check 'its settings are valid' adaptivemmd check-config

check 'a module for another interface is refused by the package manager' \
    fails dpkg --install $payload/adaptivemm-module-chaos_2_*.deb
dpkg --purge adaptivemm-module-chaos >/dev/null 2>&1

# The status of a configuration that is wrong.
refused() {
    local status=0
    adaptivemmd check-config || status=$?
    ((status == 78))
}

part 'Packages that do not fit bring nobody down'
configure 60-pages 'ENABLE_FREE_PAGE_MGMT = 1'
check 'free-pages is switched on' systemctl reload $unit
mark
check 'a module is installed that wants what free-pages owns' dpkg --install $payload/adaptivemm-module-twin_*.deb
check 'the service was started anew' logged 'started: .*free-pages'
check 'and runs' becomes is SubState running
check 'the module is idle, and the log says why and what to do' \
    logged 'is idle: the module free-pages owns vm.watermark_scale_factor; to use it instead, set'
check 'modules says so' sh -c 'adaptivemmd modules | grep -q "^twin .*(idle"'
check 'status says so' sh -c 'adaptivemmd status | grep -q "twin (idle): the module free-pages owns"'
check 'doctor says so' sh -c 'adaptivemmd doctor | grep -q "idle: the module free-pages owns"'
check 'and that the daemon would start' sh -c 'adaptivemmd doctor | grep -q "the daemon would start"'
check 'so does check-config' adaptivemmd check-config
check 'a reload works' systemctl reload $unit
mark
check 'the module is removed' dpkg --purge adaptivemm-module-twin
check 'the service was started anew' logged 'started: '
check 'and runs' becomes is SubState running
check 'nothing is said of the module' fails says 'twin'

mark
printf 'verbosty = 1\n' >/usr/lib/adaptivemmd/adaptivemmd.toml.d/70-foreign.toml
check 'with a package whose settings are wrong the service starts' systemctl restart $unit
check 'and says what is wrong' logged 'unknown setting .verbosty'
rm /usr/lib/adaptivemmd/adaptivemmd.toml.d/70-foreign.toml

configure 60-wrong 'verbosty = 1'
check 'a wrong setting of the administrator' refused
mark
check 'a module that is installed meanwhile' dpkg --install $payload/adaptivemm-module-twin_*.deb
check 'does not stop the service that runs' is SubState running
check 'with which it does not start' fails systemctl restart $unit
check 'it has failed' becomes is ActiveState failed
rm $drop_ins/60-wrong.toml
check 'a package goes once that was put right' dpkg --purge adaptivemm-module-twin
check 'and the service that has failed is started' becomes is SubState running
systemctl stop $unit
check 'a package comes' dpkg --install $payload/adaptivemm-module-twin_*.deb
check 'what the administrator has stopped stays so' is ActiveState inactive
dpkg --purge adaptivemm-module-twin >/dev/null 2>&1
rm $drop_ins/60-pages.toml
systemctl start $unit

part 'The unit of adaptivemm 2.1 that somebody has in /etc'
cat >/etc/systemd/system/$unit <<END
[Unit]
Description=Adaptive free memory optimizer daemon

[Service]
Type=forking
ExecStart=/usr/sbin/adaptivemmd
KillMode=control-group
END
systemctl stop $unit
systemctl daemon-reload
mark
check 'the service starts' systemctl start $unit
check 'in the background' is Type forking
check 'and works' logged 'started: '
check 'it can be stopped' systemctl stop $unit
check 'without complaint' is Result success
rm /etc/systemd/system/$unit
systemctl daemon-reload
systemctl start $unit
