# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_adaptivemmd_global_optspecs
    string join \n c/config= root= v/verbose d/debug foreground s/simulate a/aggressiveness= m/max-gap= once json h/help V/version
end

function __fish_adaptivemmd_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_adaptivemmd_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_adaptivemmd_using_subcommand
    set -l cmd (__fish_adaptivemmd_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s a -l aggressiveness -d 'Set how early and how strongly to act: 1 low, 2 normal, 3 high' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s m -l max-gap -d 'Limit the gap between the low and the high watermark, in GiB' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s d -l debug -d 'Stay in the foreground and log to the terminal'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -l foreground -d 'Stay in the foreground'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s s -l simulate -d 'Simulate: stay in the foreground, log what would be done, change nothing'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -l once -d 'Scan once and exit'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -l json -d 'With --once: print what the scan saw as one JSON object'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -s V -l version -d 'Print version'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "modules" -d 'List the modules and their options'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "check-config" -d 'Check the configuration: exit status 0 if the daemon would start with it, else 78'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "snapshot" -d 'Print a snapshot of this machine as one JSON object'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "record" -d 'Record this machine into a trace'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "replay" -d 'Replay a trace: print what the daemon would have logged on that machine'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "explain" -d 'Explain a decision: its reason, what the module saw, what was changed, and what happened afterwards'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "incidents" -d 'List the stored incidents, show one, or export one'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "status" -d 'Show the daemon\'s status: memory, recent decisions, and the state of each module'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "doctor" -d 'Check what works on this machine with this configuration, and say why the rest does not: exit status 0 if all is well, else 1'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "metrics" -d 'Print the metrics of the daemon and its modules for Prometheus'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "restore" -d 'Restore the original values of tunables changed by a running or crashed daemon; a running one then pauses their tuning'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "reload" -d 'Reload the configuration of the running daemon'
complete -c adaptivemmd -n "__fish_adaptivemmd_needs_command" -f -a "resume" -d 'Resume tuning of tunables that were changed externally'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand modules" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand modules" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand modules" -l json -d 'Print JSON'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand modules" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand modules" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -l drop-in -d 'Check FILE as if it were installed in /etc/adaptivemmd/adaptivemmd.toml.d' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -l show -d 'Print all settings with their origins'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -l convert -d 'Print the configuration file of adaptivemm 2.1 as TOML'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand check-config" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand snapshot" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand snapshot" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand snapshot" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand snapshot" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -l period-ms -d 'Milliseconds between two frames, from 100 [default: the period of the daemon]' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -l frames -d 'Stop after N frames [default: when interrupted]' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -l note -d 'A note on what is recorded, stored in the trace' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand record" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -l module -d 'Run only this module, enabled or not; repeatable' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -l explain -d 'Print only the explanation of this decision' -r
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -l json -d 'Print one JSON object per finding, request, action, follow-up and set of metrics'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand replay" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand explain" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand explain" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand explain" -l json -d 'Print the records as JSON lines'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand explain" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand explain" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -f -a "list" -d 'List all incidents, newest last'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -f -a "show" -d 'Show an incident: what grew, since when, how fast, and what explains it'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and not __fish_seen_subcommand_from list show export" -f -a "export" -d 'Write an incident with its evidence into one file'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from list" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from list" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object per incident and line'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l key-file -d 'The key of the site, at least 16 random bytes: redacted names match across files of one key [default: a random key]' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l html -d 'Print a self-contained HTML page'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l json -d 'Print the record as JSON'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l redact -d 'Remove the names of the host, processes and control groups'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -l stored -d 'Show only what is stored, without the current holders of memory, which root is shown while an incident is open'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -l key-file -d 'The key of the site, at least 16 random bytes: redacted names match across files of one key [default: a random key]' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -l redact -d 'Remove the names of the host, processes and control groups, and evidence that is full of them'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -l force -d 'Replace the file if it exists'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand incidents; and __fish_seen_subcommand_from export" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -l json -d 'Print JSON'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -l stored -d 'Do not look for the current holders of memory, which root is shown while an incident is open'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand status" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand doctor" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand doctor" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand doctor" -l json -d 'Print JSON'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand doctor" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand metrics" -l textfile -d 'Write them to FILE in one step, for the textfile collector of `node_exporter`' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand metrics" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand metrics" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand metrics" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand metrics" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand restore" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand restore" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand restore" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand restore" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand reload" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand reload" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand reload" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand reload" -s h -l help -d 'Print help'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand resume" -s c -l config -d 'Read only this configuration file: TOML if it ends in .toml, else the format of adaptivemm 2.1' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand resume" -l root -d 'Read the machine, and its configuration, below DIR instead of /' -r -F
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand resume" -s v -l verbose -d 'Increase verbosity; repeatable, up to 5 (2 logs what each module sees in every scan)'
complete -c adaptivemmd -n "__fish_adaptivemmd_using_subcommand resume" -s h -l help -d 'Print help'
