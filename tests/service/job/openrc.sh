part 'The script of Debian, run by OpenRC'

process=$(daemon)
check 'restart' service restart
check 'is a restart' is_another "$process"
check 'stop' service stop
check 'it has ended' is_gone
check 'status: 3' ends_with 3 service status

part 'The service of OpenRC, as Alpine or Gentoo install it'
install -m 755 $payload/init/adaptivemmd.openrc /etc/init.d/adaptivemmd
install -D -m 644 $payload/init/adaptivemmd.confd /etc/conf.d/adaptivemmd
# Nobody waits for minutes here.
printf 'respawn_delay=1\nhealthcheck_delay=5\nhealthcheck_timer=5\nanswer_timeout=5\nretry=TERM/3/KILL/5\n' >>/etc/conf.d/adaptivemmd
rc-update --update
mark
check 'it starts' service start
check 'and runs when it has started' runs
check 'the supervisor is its parent' [ "$(cat "/proc/$(sed -n 's/^PPid:\t//p' "/proc/$(daemon)/status")/comm")" = supervise-daemo ]
check 'status: 0' ends_with 0 service status
check 'OpenRC takes it for started' sh -c 'rc-status default | grep -q "adaptivemmd .*started"'
check 'the log has what it says' logged 'started: '
check 'what can be done with it is described' sh -c 'rc-service adaptivemmd describe 2>&1 | grep -q reload'
check 'the runtime directory is for all to read' mode '755 root' /run/adaptivemmd
check 'so is what is kept' mode '755 root' /var/lib/adaptivemmd
process=$(daemon)
check 'start of what runs' service start
check 'is nothing' is_process "$process"
