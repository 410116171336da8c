part 'The configuration is read again'

process=$(property MainPID)
mark
configure 60-good '[core]
verbosity = 2'
check 'a good one is taken over when systemctl reload returns' systemctl reload $unit
check 'the log says so' says 'configuration reloaded'
check 'by the same process' is MainPID "$process"
check 'it is in force: each scan has words' logged 'memleak: .* accounted for'

mark
configure 70-bad '[core]
period-secs = "often"'
check 'with a wrong one systemctl reload fails' fails systemctl reload $unit
check 'the log names file and line' logged '70-bad.toml:2:'
check 'the service is active' is ActiveState active
check 'the same process' is MainPID "$process"
check 'the old configuration is in force' logged 'memleak: .* accounted for'
check 'adaptivemmd reload says what is wrong' fails adaptivemmd reload

mark
check 'a start with the wrong one fails' fails systemctl restart $unit
check 'with exit status 78' is ExecMainStatus 78
check 'and is not tried again' is SubState failed
rm $drop_ins/70-bad.toml
mark
check 'with the good one it starts' systemctl start $unit
