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
