part 'The packages are removed'

mark
check 'removed' without_complaint dnf remove adaptivemm-module-chaos adaptivemm
check 'the service has stopped well' fails systemctl is-active --quiet $unit
check 'the log says so' says 'stopped\|ended'
check 'no process is left' fails pgrep -x adaptivemmd
check 'the service manager does not know it any more' is LoadState not-found
check 'the tunable has its original value' holds $scale "$original"
check 'what was learned is kept' [ -s $state/decisions.jsonl ]
check 'the drop-ins are kept' [ -e $drop_ins/40-test.toml ]
check 'the settings of 2.1 are kept' grep -qrx 'AGGRESSIVENESS=3' /etc/sysconfig
check 'no package of ours is left' fails sh -c 'rpm -qa | grep adaptivemm'
clean
everything >/tmp/after
check 'nothing else is left behind' diff /tmp/before /tmp/after
