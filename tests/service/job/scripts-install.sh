part "A package is installed, and the service runs: $(/sbin/init --version 2>&1 | head -1), $(openrc --version 2>/dev/null || echo sysv-rc)"

check 'process 1 is init of sysvinit' [ "$(readlink /proc/1/exe) $(dpkg-query -W -f '${Status}' sysvinit-core)" = "$(realpath /sbin/init) install ok installed" ]
check 'there is no systemd' [ ! -e /run/systemd/system ]
if [[ $kind == openrc ]]; then check 'OpenRC has booted' [ -e /run/openrc/softlevel ]; fi
check 'the log daemon runs' pidof syslogd
everything >$payload/before
begins

mark
check 'the package is configured without a question' dpkg --install $payload/adaptivemm_3*.deb
check 'what it depends on is there' [ "$(dpkg-query -W -f '${Status}' adaptivemm)" = 'install ok installed' ]
if [[ $(stat -f -c %T $scale) == proc ]]; then
    is_live
fi
check 'the service runs when the package is installed' runs
check 'the log says which modules run' logged 'started: a scan every 1 s, modules: .*memleak'
check 'status: 0' ends_with 0 service status
check 'also of somebody who is not root' ends_with 0 nobody /etc/init.d/adaptivemmd status
check 'anybody may ask how things stand' nobody sh -c 'adaptivemmd status | grep -q memleak'
check 'the runtime directory is for all to read' mode '755 root' /run/adaptivemmd
check 'so is what is kept' mode '755 root' /var/lib/adaptivemmd
check 'the daemon has left the directory and the terminal that started it' \
    [ "$(readlink "/proc/$(daemon)/cwd") $(readlink "/proc/$(daemon)/fd/2")" = '/ /dev/null' ]
check 'what it writes others may read' [ "$(sed -n 's/^Umask:\t//p' "/proc/$(daemon)/status")" = 0022 ]
if sh -c 'echo -900 >/proc/self/oom_score_adj' 2>/dev/null; then
    check 'it is not the first to go when memory runs out' holds "/proc/$(daemon)/oom_score_adj" -900
else
    echo '  SKIPPED whether it is not the first to go when memory runs out: not even root may say so here'
fi
process=$(daemon)
check 'start of what runs: 0' ends_with 0 service start
check 'and it is the same process' is_process "$process"
if [[ $kind == sysvinit ]]; then
    check 'it is started in runlevels 2 to 5' ls /etc/rc{2,3,4,5}.d/S??adaptivemmd
    check 'and stopped in 0, 1 and 6' ls /etc/rc{0,1,6}.d/K??adaptivemmd
    order() { basename /etc/rc2.d/S??"$1" | cut -c 2-3; }
    check 'after the log daemon' [ "$(order adaptivemmd)" -gt "$(order inetutils-syslogd)" ]
    check 'stopped before it' [ "$(basename /etc/rc6.d/K??adaptivemmd | cut -c 2-3)" -lt "$(basename /etc/rc6.d/K??inetutils-syslogd | cut -c 2-3)" ]
    check 'what it does not know it refuses: 2' ends_with 2 service frobnicate
else
    check 'it is in the default runlevel' [ -e /etc/runlevels/default/adaptivemmd ]
fi
