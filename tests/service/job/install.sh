part 'A package is installed, and the service runs'

original=$(cat $scale)
everything >/tmp/before
begins

mark
check 'the package is configured without a question' dpkg --install $payload/adaptivemm_3*.deb
check "the program is of the compiler above" grep -aqE "/rustc(/$(compiler commit-hash)|-$(compiler release))/" /usr/sbin/adaptivemmd
check 'the service is active when the package is: it has said that it is ready' is ActiveState active
if [[ $(cat $payload/kind) == namespace && $(stat -f -c %T "/proc/$(property MainPID)/root$scale") != tmpfs ]]; then
    is_live
fi
check 'and running' is SubState running
check 'it is enabled' systemctl is-enabled --quiet $unit
check 'the service manager knows its process' [ "$(property MainPID)" -gt 1 ]
check 'what systemctl status shows says what it is at' [ -n "$(property StatusText)" ]
check 'the log says which modules run' logged 'started: a scan every 1 s, modules: .*memleak'
check 'the log is in the journal, as of adaptivemmd' [ "$(since -t adaptivemmd | wc -l)" -gt 0 ]
check 'the modules run' sh -c 'adaptivemmd modules | grep -q "^memleak .*running"'
check 'the shipped configuration is valid' adaptivemmd check-config
check 'the manual pages are where man looks' sh -c 'ls /usr/share/man/man8/adaptivemmd.8* /usr/share/man/man5/adaptivemmd.toml.5* /usr/share/man/man7/adaptivemmd-memleak.7*'
check 'systemctl status is content' systemctl status --no-pager $unit
check 'systemd-analyze has nothing to say about the unit' sh -c '! systemd-analyze verify --man=no adaptivemmd.service 2>&1 | grep adaptivemmd'
check 'its exposure is at most 0.7' systemd-analyze security --offline=yes --threshold=7 --no-pager /lib/systemd/system/$unit

login() { nobody env --ignore-environment HOME=/tmp TERM=dumb bash --login -c "$1"; }
check 'the path of a user who logs in leads to it' [ "$(login 'command -v adaptivemmd')" = /usr/bin/adaptivemmd ]
check 'who may ask how things stand' login 'adaptivemmd status | grep memleak'
check 'and has completions' login 'shopt -s progcomp; . /usr/share/bash-completion/completions/adaptivemmd; complete -p adaptivemmd'
check 'anybody may ask how things stand' nobody sh -c 'adaptivemmd status | grep -q memleak'
check 'for a program, too' nobody sh -c 'adaptivemmd status --json | grep -q "\"memleak\""'
check 'anybody may ask for the numbers' nobody sh -c 'adaptivemmd metrics | grep -q "^adaptivemmd_"'
check 'the doctor looks at each module' sh -c 'adaptivemmd doctor | grep -q "^memleak"'
check 'nobody but root may reload' fails nobody adaptivemmd reload
process=$(property MainPID)
check 'the init script hands over to the service manager: status' /etc/init.d/adaptivemmd status
check 'the init script hands over to the service manager: restart' /etc/init.d/adaptivemmd restart
check 'and that one did it' fails is MainPID "$process"
if command -v varlinkctl >/dev/null; then
    check 'varlinkctl understands the control socket' varlinkctl introspect unix:/run/adaptivemmd/control io.adaptivemmd.Control
fi
check 'the log has fields: a message of a known kind' [ -n "$(since -t adaptivemmd MESSAGE_ID=b21254dff3274830af11ee372a1ef88c)" ]
check 'which the catalog of the journal explains' \
    sh -c 'journalctl -t adaptivemmd -x --no-pager | grep -q "Subject: adaptivemmd started"'
