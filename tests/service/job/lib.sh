# What all parts of all jobs use.
set -uo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
payload=/payload
drop_ins=/etc/adaptivemmd/adaptivemmd.toml.d
scale=/proc/sys/vm/watermark_scale_factor
failures=0
PATIENCE=$(cat $payload/patience 2>/dev/null || echo 1)

part() { printf '\n%s\n' "$*"; }

# check "what must hold" COMMAND...
check() {
    local what=$1
    shift
    if "$@" >/tmp/output 2>&1; then
        printf '  ok      %s\n' "$what"
    else
        printf '  FAILED  %s: %s\n' "$what" "$*"
        tail -n 5 /tmp/output | sort -u | sed 's/^/          /'
        failures=$((failures + 1))
    fi
}

# The status of a command that is expected to fail.
fails() { ! "$@"; }

# Waits until something holds, for 20 s; emulated machines are slow, so there longer.
becomes() {
    local end=$((SECONDS + 20 * PATIENCE))
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

holds() { [[ $(cat "$1") == "$2" ]] || { echo "it is $(cat "$1")"; return 1; }; }

configure() { printf '%s\n' "$2" >"$drop_ins/$1.toml"; }
chaos() { configure 60-chaos "$1"; }

# The settings that each life begins with.
begins() {
    mkdir -p $drop_ins
    # The module that misbehaves sets the same tunables as these, which the core does not allow.
    configure 40-test 'ENABLE_FREE_PAGE_MGMT = 0
ENABLE_COMPACTION = 0
[core]
period-secs = 1'
}

# The tunable of the service is not one of the files that stand for them: it ends the job.
is_live() {
    echo 'The service would write to the live machine: no more is tried.'
    failures=$((failures + 1))
    exit 1
}

# compiler FIELD: what `rustc -vV` said of the compiler that built the packages.
compiler() { sed -n "s/^$1: //p" $payload/compiler; }

# As somebody who has no rights.
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# All files of this machine, to see what is left behind. What the log, the package manager and the init system write is theirs,
# and below /opt somebody may be building.
everything() {
    find /etc /usr /opt /root /var -xdev -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/lib/dpkg/*' \
        -not -path '/var/lib/apt/*' -not -path '/var/lib/PackageKit/*' -not -path '/var/lib/systemd/*' \
        -not -path '/opt/*/*' -not -path '/usr/lib/rc/cache*' -print | sort
    find /run -name '*adaptivemm*' -not -path '*/adaptivemmd.service.d*' | sort
}
