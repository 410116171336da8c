check 'what was changed was given back' holds $payload/left "$original"
check 'the service was started at boot' becomes runs
check 'status: 0' ends_with 0 service status
check 'it changes what it is asked for' becomes holds $scale 20

part 'The packages are removed'
process=$(daemon)
check 'a module is removed while the service runs' dpkg --remove adaptivemm-module-chaos
check 'the service was started anew' is_another "$process"
check 'what it had changed was given back' holds $scale "$original"
check 'the package is removed' dpkg --remove adaptivemm
check 'no process is left' is_gone
check 'the tunable has its original value' holds $scale "$original"
check 'what was learned is kept' [ -d /var/lib/adaptivemmd ]
check 'what is left of the script does nothing: 0' ends_with 0 sh /etc/init.d/adaptivemmd start
check 'purged' dpkg --purge adaptivemm
rm -rf $drop_ins/*.toml /etc/conf.d/adaptivemmd
rmdir -p $drop_ins /etc/conf.d 2>/dev/null
everything >$payload/after
check 'nothing is left behind, and no link in a runlevel' diff $payload/before $payload/after
