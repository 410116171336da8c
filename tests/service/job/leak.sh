part 'Kernel memory is lost, and the program that holds it is named'

mark
leak 1536 300
# A jump has to last for three scans.
in_a_minute() { becomes "$@" || becomes "$@" || becomes "$@"; }
check 'the log warns of it' in_a_minute says 'Possible memory leak\|Possible sudden memory leak'
check 'an incident is kept' becomes sh -c 'adaptivemmd incidents list --json | grep "\"module\":\"memleak\".*\"state\":\"open\""'
holder=$(systemctl show --property=MainPID --value leaky)
shown() { adaptivemmd incidents show | grep -q -e "$1"; }
check 'root is told who holds it now' becomes shown "leaky.*$holder"
check 'what the service itself could not see is said' shown 'run by root, .adaptivemmd'
check 'the log says who may look' logged 'run .adaptivemmd incidents show. as root'
check 'status leads to it' sh -c 'adaptivemmd status | grep -q leaky'
check 'what is redacted names neither' fails sh -c 'adaptivemmd incidents show --redact --json | grep leaky'
check 'so does the page for a browser' sh -c 'adaptivemmd incidents show --html >/payload/out/incident.html && grep "pipes of leaky" /payload/out/incident.html'
systemctl stop leaky
