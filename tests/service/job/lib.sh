# What all parts of the job use.
set -uo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
payload=/payload
unit=adaptivemmd.service
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

property() { systemctl show --property="$1" --value "$unit"; }
is() { [[ $(property "$1") == "$2" ]] || { echo "it is $(property "$1")"; return 1; }; }
holds() { [[ $(cat "$1") == "$2" ]] || { echo "it is $(cat "$1")"; return 1; }; }
is_not() { [[ $(property "$1") != "$2" ]]; }

# From here on the journal is looked at.
# Not by a cursor: after one, journalctl of systemd 252 leaves out the first entry that matches.
mark() { moment=$(date +%s.%6N); }
since() { journalctl --no-pager --quiet --since="@$moment" -o cat "$@"; }
# says PATTERN: in the journal of the service, since the mark.
says() { since -u "$unit" | grep -q -e "$1"; }
logged() { becomes says "$1"; }
# The service manager's words about the service.
manager_says() { since -u "$unit" _PID=1 | grep -q -e "$1"; }

configure() { printf '%s\n' "$2" >"$drop_ins/$1.toml"; }
chaos() { configure 60-chaos "$1"; }

# All files of this machine, to see what is left behind. What the log and the package manager write is theirs.
everything() {
    find /etc /usr /opt /root /var -xdev -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/var/lib/dpkg/*' \
        -not -path '/var/lib/systemd/*' -print | sort
    find /run -name '*adaptivemm*' -not -path '*/adaptivemmd.service.d*' | sort
}
