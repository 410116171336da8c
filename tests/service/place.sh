# shellcheck shell=bash
# A root for an init system that is booted in namespaces: a layer above the files of a system, with files in the place of what the
# daemon may write to. Sourced in new namespaces; /proc/sys and /sys of the machine are read-only there.

# make_root LOWER LAYER PAYLOAD: the root is LAYER/root, and what is written to it is in LAYER/upper.
make_root() {
    root=$2/root
    mkdir -p "$2"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$root"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/mqueue" "$root/dev/hugepages"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    mount -t proc proc "$root/proc"
    mkdir -p "$root/payload"
    mount --bind "$3" "$root/payload"
    # Images for containers have one that forbids to start services.
    rm -f "$root/usr/sbin/policy-rc.d"
}

# replace_tunables DIR: below the root, where the files are that take the place of tunables.
replace_tunables() {
    local files=$root$1 tunable
    mkdir -p "$files/node"
    for tunable in watermark_scale_factor vfs_cache_pressure compact_memory; do
        [[ -e $files/$tunable ]] || cat "/proc/sys/vm/$tunable" >"$files/$tunable" 2>/dev/null || echo 0 >"$files/$tunable"
        mount --bind "$files/$tunable" "$root/proc/sys/vm/$tunable"
    done
    mount --rbind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    cp -r /sys/devices/system/node/. "$files/node" 2>/dev/null || true
    mount --bind "$files/node" "$root/sys/devices/system/node"
}

# enter_root: what was the root is gone.
enter_root() {
    mount --make-rprivate /
    cd "$root" || return
    mkdir -p mnt
    pivot_root . mnt
    umount -l /mnt
}

# into_namespaces COMMAND...: it is process 1 there, in the place of this shell; who ends that ends all.
into_namespaces() {
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup --propagation private "$@"
}
