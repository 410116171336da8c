# What the parts use that are about a service of systemd.
unit=adaptivemmd.service

property() { systemctl show --property="$1" --value "$unit"; }
is() { [[ $(property "$1") == "$2" ]] || { echo "it is $(property "$1")"; return 1; }; }
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

# leak MIB SECONDS: a service whose program, called leaky, soon keeps so much in pipes, and ends after so long.
leak() {
    systemd-run --quiet --collect --unit=leaky --property=LimitNOFILE=8192 --property=RuntimeMaxSec="$2" perl -e '
        $0 = "leaky";
        for (1 .. $ARGV[0]) {
            pipe(my $r, my $w) or die "pipe: $!";
            # 1031 is F_SETPIPE_SZ.
            fcntl($w, 1031, 1 << 20) or die "F_SETPIPE_SZ: $!";
            syswrite($w, "x" x (1 << 20));
            push @kept, $r, $w;
            select(undef, undef, undef, 0.005);
        }
        sleep;' "$1"
}
