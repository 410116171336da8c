# What the parts use that are about a service of an init system that runs scripts.
log=/var/log/syslog
pid_file=/run/adaptivemmd/lock

# service ACTION: as an administrator gives it.
service() {
    if [[ $(cat $payload/kind) == openrc ]]; then
        rc-service adaptivemmd "$@"
    else
        /etc/init.d/adaptivemmd "$@"
    fi
}

# ends_with STATUS COMMAND...
ends_with() {
    local expected=$1 status=0
    shift
    "$@" || status=$?
    [[ $status == "$expected" ]] || { echo "it ends with $status"; return 1; }
}

daemon() { cat $pid_file; }
runs() { [[ -n $(daemon) && $(cat "/proc/$(daemon)/comm") == adaptivemmd ]]; }
is_process() { [[ $(daemon) == "$1" ]] || { echo "it is $(daemon)"; return 1; }; }
is_another() { runs && [[ $(daemon) != "$1" ]]; }
is_gone() { ! pidof adaptivemmd; }
mode() { [[ $(stat -c '%a %U' "$2") == "$1" ]] || { stat -c '%a %U' "$2"; return 1; }; }

# From here on the log is looked at.
mark() { seen=$(stat -c %s $log 2>/dev/null || echo 0); }
says() { tail -c "+$((seen + 1))" $log | grep adaptivemmd | grep -q -e "$1"; }
logged() { becomes says "$1"; }

ask='[modules.chaos.config]
mode = "ask"'
# For the next daemon, which would otherwise change it again.
stop_asking='[modules.chaos]
enabled = false'
# The module has the daemon change the tunable; whoever comes next does not.
let_it_be_changed() {
    chaos "$ask"
    service restart >/dev/null 2>&1
    becomes holds $scale 20 || return 1
    chaos "$stop_asking"
}
