part 'The sandbox is real'

process=$(property MainPID)
status() { sed -n "s/^$1:\t//p" "/proc/$process/status"; }
check 'no capability is in force' [ "$(status CapEff)" = 0000000000000000 ]
check 'none can come back' [ "$(status CapBnd)" = 0000000000000000 ]
check 'no program gives more rights' [ "$(status NoNewPrivs)" = 1 ]
check 'system calls are filtered' [ "$(status Seccomp)" = 2 ]

# A program in place of the daemon, in the same sandbox.
install -D $payload/probe /usr/lib/adaptivemmd/probe
mkdir -p /run/systemd/system/$unit.d
node=/sys/devices/system/node/node0/compact
[[ -e $node ]] || touch $node
must="reads /proc/meminfo reads /proc/zoneinfo reads /proc/vmstat reads /proc/buddyinfo reads /proc/pagetypeinfo
    reads /proc/slabinfo reads /proc/vmallocinfo reads /proc/1/net/sockstat reads /proc/1/stat
    sets /proc/sys/vm/watermark_scale_factor sets /proc/sys/vm/vfs_cache_pressure
    compacts $node creates /run/adaptivemmd creates /var/lib/adaptivemmd makes a-unix-socket"
must_not="sets /proc/sys/vm/swappiness sets /proc/sys/kernel/core_pattern sets /proc/sys/vm/min_free_kbytes
    sets /proc/sys/kernel/panic creates /etc creates /usr/lib/adaptivemmd creates /var/lib creates /run creates /root creates /
    creates /sys/fs/cgroup reads /proc/1/environ reads /proc/kcore reads /dev/mem creates /usr/local creates /opt creates /boot
    makes an-internet-socket makes a-netlink-socket makes a-packet-socket mounts tmpfs enters a-user-namespace
    becomes nobody owns a-file traces a-process maps memory-to-write-and-run loads bpf loads a-kernel-module"
words="$must $must_not"
cat >/run/systemd/system/$unit.d/95-probe.conf <<END
[Service]
ExecStartPre=/usr/lib/adaptivemmd/probe $(echo $words | sed 's/ \(makes\|mounts\|enters\|becomes\|owns\|traces\|maps\|loads\) [a-z-]*//g')
END
systemctl daemon-reload
mark
check 'the service starts with it' systemctl restart $unit
tried() { since -u $unit | sed -n "s|^probe $1 \(in \)\?$2: ||p"; }
while read -r what of; do
    check "may: $what $of" [ "$(tried $what $of)" = yes ]
done < <(echo $must | xargs -n 2)
while read -r what of; do
    answer=$(tried $what $of)
    check "may not: $what $of ($answer)" [ -n "$answer" -a "$answer" != yes ]
done < <(echo $must_not | xargs -n 2)
rm /run/systemd/system/$unit.d/95-probe.conf /usr/lib/adaptivemmd/probe
systemctl daemon-reload
check 'the service starts without it' systemctl restart $unit

mkdir -p /run/systemd/system/$unit.d
cp $payload/holders.conf /run/systemd/system/$unit.d/85-holders.conf
systemctl daemon-reload
check 'the service starts with the right to see what programs hold' systemctl restart $unit
process=$(property MainPID)
check 'which is all that it gets' [ "$(status CapEff)" = 0000000000080000 ]
rm /run/systemd/system/$unit.d/85-holders.conf
systemctl daemon-reload
systemctl restart $unit
