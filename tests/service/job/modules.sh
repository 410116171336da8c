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
