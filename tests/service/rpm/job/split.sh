part 'From modules that are linked in to modules that are packages, without a preset'

modules() { adaptivemmd modules | sed -n 's/^\([a-z-]*\) .*\(running\|enabled\).*/\1/p' | sort | tr '\n' ' '; }
everything >/tmp/before
check 'it is installed' without_complaint dnf install adaptivemm-3.1.0
check 'and neither enabled' fails systemctl is-enabled --quiet $unit
check 'nor started' is ActiveState inactive
check 'it is by hand' systemctl enable --quiet --now $unit
linked=$(modules)
check 'its modules run' [ -n "$linked" ]
mark
check 'the next one has none linked in' without_complaint dnf upgrade
for module in cache-pressure compaction free-pages memleak negative-dentry; do
    check "$module came with it" is_version adaptivemm-module-$module 3.2.0
done
check 'the service is active' is ActiveState active
check 'with the modules as before' [ "$(modules)" = "$linked" ]
check 'from files' [ "$(adaptivemmd modules | grep -c /modules/)" -ge 5 ]
check 'the log has no complaint' fails sh -c "journalctl --quiet --since=@$moment -u $unit -p warning -o cat | grep ."
check 'with --setopt=install_weak_deps=False there is the core alone' sh -c 'rpm -e $(rpm -qa "adaptivemm*") && dnf -y -q --setopt=install_weak_deps=False install adaptivemm-3.2.0 && test "$(rpm -qa "adaptivemm*" | wc -l)" = 1'
check 'removed' without_complaint rpm --erase adaptivemm
clean
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
