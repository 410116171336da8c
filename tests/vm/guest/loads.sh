# Innocent loads, by name. `begin_NAME` takes memory, about a third of it, for HOLD_SECS; `end_NAME` gives it back, or waits
# until it is. What a program says of its work (faults, latencies) is left in $WORK/said.

total_mib=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
third=$((total_mib / 3))

# Runs a program beside us, and waits for it at the end of the load.
beside() {
    "$@" >"$WORK/said" &
    loader=$!
}
end_program() { wait "$loader"; }
say() { echo "$*" >>"$WORK/said"; }

begin_load() {
    : >"$WORK/said"
    "begin_$1"
}
end_load() { "end_$1"; }

# Page cache, and what is read from a disk.
begin_cache() { stream /mnt/hole $((third * 2)) >"$WORK/said"; }
end_cache() { echo 3 >/proc/sys/vm/drop_caches; }

# Memory of programs.
begin_anon() { beside faults "$third" 1 "$HOLD_SECS" 1 small; }
end_anon() { end_program; }
begin_huge() { beside faults "$third" 1 "$HOLD_SECS" 1 huge; }
end_huge() { end_program; }
begin_bursts() { beside faults $((third / 2)) 1 0.5 "$HOLD_SECS"; }
end_bursts() { end_program; }
begin_mlock() { beside hold mlock "$third" "$HOLD_SECS"; }
end_mlock() { end_program; }
begin_ptes() { beside hold ptes $((third / 4)) "$HOLD_SECS"; }
end_ptes() { end_program; }
begin_tasks() { beside hold tasks 400 "$HOLD_SECS"; }
end_tasks() { end_program; }
begin_fragment() { beside fragment "$third" $((third / 4)) $((HOLD_SECS / 2)); }
end_fragment() { end_program; }
# Nine tenths of memory with a swap that holds a third of it, compressed, in memory.
begin_swap() {
    [ -e /sys/block/zram0 ] || cat /sys/class/zram-control/hot_add >/dev/null
    echo "${third}M" >/sys/block/zram0/disksize
    mkswap /dev/zram0 >/dev/null
    swapon /dev/zram0
    beside hold anon $((total_mib * 9 / 10)) "$HOLD_SECS"
}
end_swap() {
    end_program
    say "swapped_out $(awk '/^pswpout/ { print $2 }' /proc/vmstat)"
    swapoff /dev/zram0
    echo 1 >/sys/block/zram0/reset
}

# Files in memory, and memory set aside.
begin_tmpfs() {
    mkdir -p /tmpfs
    mount -t tmpfs -o size=90% tmpfs /tmpfs
    dd if=/dev/zero of=/tmpfs/file bs=1M count="$third" 2>/dev/null
    say "written_mib $third"
}
end_tmpfs() { umount /tmpfs; }
begin_hugetlb() {
    echo $((third / 2)) >/proc/sys/vm/nr_hugepages
    say "huge_pages $(cat /proc/sys/vm/nr_hugepages)"
}
end_hugetlb() { echo 0 >/proc/sys/vm/nr_hugepages; }

# Slab: inodes and dentries of many files.
begin_files() {
    mkdir -p /mnt/files
    (cd /mnt/files && seq 1 6000 | xargs touch)
    say "files 6000"
}
end_files() {
    rm -rf /mnt/files
    echo 2 >/proc/sys/vm/drop_caches
}

# Many small processes; a build, which writes and reads files besides; the buffers of sockets.
begin_forks() { beside forks 40 4 "$HOLD_SECS"; }
end_forks() { end_program; }
begin_build() {
    mkdir -p "$WORK/build"
    beside forks 8 6 "$HOLD_SECS" "$WORK/build"
}
end_build() {
    end_program
    rm -rf "$WORK/build"
}
begin_network() { beside network 32 40 "$HOLD_SECS"; }
end_network() { end_program; }

# Containers that come and go: each a control group with a process in it that uses memory.
begin_cgroups() {
    mountpoint -q /sys/fs/cgroup || mount -t cgroup2 cgroup2 /sys/fs/cgroup
    echo +memory >/sys/fs/cgroup/cgroup.subtree_control
    churn_cgroups >"$WORK/said" &
    loader=$!
}
churn_cgroups() {
    born=0
    until=$(($(cut -d. -f1 /proc/uptime) + HOLD_SECS))
    while [ "$(cut -d. -f1 /proc/uptime)" -lt "$until" ]; do
        group=/sys/fs/cgroup/container$((born % 20))
        rmdir $group 2>/dev/null
        mkdir $group
        sh -c "echo 0 >$group/cgroup.procs; exec hold anon 8 0.5" >/dev/null
        born=$((born + 1))
    done
    rmdir /sys/fs/cgroup/container*
    echo "containers $born"
}
end_cgroups() { end_program; }

# A file system that keeps metadata in buffers of its own.
begin_xfs() {
    load_late xfs
    mkfs.xfs -q -f /dev/vdb >/dev/null
    mkdir -p /xfs
    mount -t xfs /dev/vdb /xfs
    (cd /xfs && seq 1 6000 | xargs touch)
    dd if=/dev/zero of=/xfs/file bs=1M count=$((third / 2)) 2>/dev/null
    say "files 6000"
    say "written_mib $((third / 2))"
}
end_xfs() {
    umount /xfs
    echo 3 >/proc/sys/vm/drop_caches
}
