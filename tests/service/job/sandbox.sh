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

part 'A module that pries'
# Root without a capability would be let by the kernel: what refuses is Landlock, the filter, and memory that is not shown.
install -D -m 644 $payload/prying.so /usr/lib/adaptivemmd/prying.so
configure 61-prying '[modules.prying]
path = "/usr/lib/adaptivemmd/prying.so"'
mark
check 'it is loaded by a reload' systemctl reload $unit
check 'it has tried all' logged 'prying: all was tried'
for attempt in 'read /etc/shadow' "read the daemon's memory" "read the daemon's maps" "read the daemon's environ" connect \
    'signal the daemon' 'trace the daemon' 'list /'; do
    for when in constructor scan; do
        check "it cannot: $when: $attempt" says "prying: $when: $attempt: no"
    done
done
check 'nothing that it tried worked' fails says 'prying: .*: yes$'
hosts() { pgrep -P "$(property MainPID)"; }
its() { sed -n "s/^$1:\t//p" "/proc/$(hosts | head -n 1)/status"; }
check 'it is root, who may do nothing' [ "$(its Uid | cut -f 1)$(its CapEff)" = 00000000000000000 ]
check 'it is the first to be ended when memory is short' [ "$(cat "/proc/$(hosts | head -n 1)/oom_score_adj")" = 1000 ]
check 'root has not lost its file' [ -s /etc/shadow ]
# What the manual offers where there is no Landlock.
printf '%s\n' '[Service]' 'CapabilityBoundingSet=CAP_SETUID CAP_SETGID' 'SystemCallFilter=@setuid' \
    >/run/systemd/system/$unit.d/86-nobody.conf
systemctl daemon-reload
mark
check 'the service starts with the right to become another user' systemctl restart $unit
check 'the module is loaded there, too' logged 'prying: all was tried'
check 'as nobody, who may do nothing' [ "$(its Uid | cut -f 1)$(its CapPrm)" = 655340000000000000000 ]
check 'and finds nothing' fails says 'prying: .*: yes$'
rm /run/systemd/system/$unit.d/86-nobody.conf
systemctl daemon-reload
check 'the service starts without that right' systemctl restart $unit
rm $drop_ins/61-prying.toml /usr/lib/adaptivemmd/prying.so
check 'the service goes on without it' systemctl reload $unit
