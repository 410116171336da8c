part 'The configuration is read again'

# What the status says when the configuration is wrong, and the service cannot be reloaded as it does not run.
wrong=6 stopped=7
[[ $kind == sysvinit ]] || wrong=1 stopped=1
process=$(daemon)
mark
configure 60-good '[core]
verbosity = 2'
check 'a good one is taken over when the script returns' ends_with 0 service reload
check 'the log says so' logged 'configuration reloaded'
check 'by the same process' is_process "$process"
check 'it is in force: each scan has words' logged 'memleak: .* accounted for'

configure 70-bad '[core]
period-secs = "often"'
check "with a wrong one it fails: $wrong" ends_with $wrong service reload
check 'and names file and line' sh -c '. /payload/job/scripts.sh; payload=/payload; service reload 2>&1 | grep 70-bad.toml:2:'
mark
check 'the same process runs' is_process "$process"
check 'the old configuration is in force' logged 'memleak: .* accounted for'
check "a restart is refused: $wrong" ends_with $wrong service restart
check 'and the service goes on' is_process "$process"
if [[ $kind == sysvinit ]]; then check "so is try-restart: $wrong" ends_with $wrong service try-restart; fi
check 'and the service goes on' is_process "$process"
check 'it can be stopped' ends_with 0 service stop
check "a start with the wrong one is refused: $wrong" ends_with $wrong service start
check 'status: 3' ends_with 3 service status
rm $drop_ins/70-bad.toml
if [[ $kind == sysvinit ]]; then check "reload of what does not run: $stopped" ends_with $stopped service reload; fi
check 'stop of what does not run: 0' ends_with 0 service stop
if [[ $kind == sysvinit ]]; then
    check 'try-restart of what does not run: 0' ends_with 0 service try-restart
    check 'starts nothing' is_gone
fi
check 'restart of what does not run' ends_with 0 service restart
check 'starts it' runs
if [[ $kind == sysvinit ]]; then check 'force-reload' ends_with 0 service force-reload; fi
process=$(daemon)
check 'restart' ends_with 0 service restart
check 'is a restart' is_another "$process"
