part 'A module changes something, and the daemon ends'

chaos "$ask"
process=$(daemon)
mark
check 'a package with a module is installed while the service runs' dpkg --install $payload/adaptivemm-module-chaos_1_*.deb
check 'the service was started anew with it' is_another "$process"
check 'the log says so' logged 'started: .*chaos'
check 'it changes what it asks for' becomes holds $scale 20
chaos "$stop_asking"
check 'stop: 0' ends_with 0 service stop
check 'what was changed has been given back when it returns' holds $scale "$original"
check 'no process is left' is_gone
check 'the number of the process is not, either' [ ! -s $pid_file ]
check 'status: 3' ends_with 3 service status

if [[ $kind == sysvinit ]]; then
    killed() {
        let_it_be_changed
        kill -KILL "$(daemon)"
        becomes is_gone
    }
    check 'killed: it is changed, and nobody gives it back' killed
    check 'killed: it is still changed' holds $scale 20
    check 'killed: status: 1' ends_with 1 service status
    check 'killed: reload: 7' ends_with 7 service reload
    check 'killed: stop: 0' ends_with 0 service stop
    check 'killed: what was changed has been given back when it returns' holds $scale "$original"
    check 'killed: status: 3' ends_with 3 service status

    check 'killed again' killed
    check 'killed: it is still changed' holds $scale 20
    check 'killed: start: 0' ends_with 0 service start
    check 'killed: it was given back' holds $scale "$original"
    check 'killed: and it runs' runs

    check 'killed again' killed
    configure 70-bad 'no-such-setting = 1'
    check 'killed, and the configuration is wrong: stop: 0' ends_with 0 service stop
    check 'killed, and the configuration is wrong: it was given back' holds $scale "$original"
    rm $drop_ins/70-bad.toml

    check 'hung: it is changed before' let_it_be_changed
    kill -STOP "$(daemon)"
    check 'hung: stop: 0' ends_with 0 service stop
    check 'hung: no process is left' is_gone
    check 'hung: it was given back' holds $scale "$original"

    read_only() { unshare --mount sh -c "mount -o remount,bind,ro $scale && /etc/init.d/adaptivemmd start"; }
    check 'where the tunables are read-only start does nothing: 0' ends_with 0 read_only
    check 'and there is no process' is_gone
else
    dies() {
        local how=$1
        shift
        check "$how: it is changed before" let_it_be_changed
        process=$(daemon)
        "$@"
        check "$how: the service is started again" becomes is_another "$process"
        check "$how: what was changed is given back" becomes holds $scale "$original"
        check "$how: status: 0" becomes ends_with 0 service status
    }
    dies killed eval 'kill -KILL $(daemon)'
    dies hung eval 'kill -STOP $(daemon)'
    mark
    chaos '[modules.chaos.config]
mode = "exit"'
    process=$(daemon)
    # The answer may not come: the daemon ends in its next scan.
    service reload >/dev/null 2>&1
    check 'exit(0) of a module: the service is started again' becomes is_another "$process"
    check 'after the second time the module is not started' logged 'chaos: quarantined'
    check 'and the service runs' becomes runs

    check 'the supervisor dies, too: it is changed before' let_it_be_changed
    kill -KILL "$(pidof supervise-daemon)" "$(daemon)"
    becomes is_gone >/dev/null
    check 'the supervisor dies, too: it is still changed' holds $scale 20
    check 'the supervisor dies, too: OpenRC knows' fails service status
    check 'the supervisor dies, too: restart' service restart
    check 'the supervisor dies, too: it was given back' holds $scale "$original"
    check 'the supervisor dies, too: and it runs' runs
    check 'the supervisor dies once more: it is changed before' let_it_be_changed
    kill -KILL "$(pidof supervise-daemon)" "$(daemon)"
    becomes is_gone >/dev/null
    service stop >/dev/null 2>&1
    check 'the supervisor dies once more: stop gives it back' holds $scale "$original"
fi

part 'The machine is restarted'
chaos "$ask"
check 'the service is started' service start
check 'it changes something' becomes holds $scale 20
