part 'The packages are removed'

mark
check 'removed' dpkg --remove adaptivemm-module-cache-pressure adaptivemm
check 'the service has stopped well' sh -c '! systemctl is-active --quiet adaptivemmd'
check 'the log says so' says 'stopped\|ended'
check 'no process is left' fails pgrep -x adaptivemmd
check 'the tunable has its original value' holds $scale "$original"
check 'what was learned is kept' [ -d /var/lib/adaptivemmd ]
check 'the configuration is kept' [ -e $drop_ins/60-good.toml ]
check 'purged' dpkg --purge adaptivemm-module-cache-pressure adaptivemm
rm -rf /run/systemd/system/$unit.d $drop_ins/*.toml
rmdir -p $drop_ins 2>/dev/null
systemctl daemon-reload
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
