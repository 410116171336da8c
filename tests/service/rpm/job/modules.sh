part 'Packages of modules come and go'

starts() { since -u $unit | grep -c ' started: \|^started: '; }
process=$(property MainPID)
mark
check 'a module that others built is installed while the service runs' without_complaint dnf install adaptivemm-module-chaos-1
check 'by our package for authors it depends on the interface' sh -c 'rpm -q --requires adaptivemm-module-chaos | grep -Fx "adaptivemmd-module-abi(1)"'
check 'the service was started anew with it' logged 'started: .*chaos'
check 'once' [ "$(starts)" = 1 ]
check 'it changes what it asks for' becomes holds $scale 20
check 'the core does not go while the module needs it' fails rpm --erase adaptivemm
check 'a module for another interface is refused by dnf' fails dnf install adaptivemm-module-chaos-2
check 'and by rpm' fails rpm --upgrade "$(file repository adaptivemm-module-chaos 2)"
mark
check 'the module is removed while the service runs' without_complaint dnf remove adaptivemm-module-chaos
check 'what it had changed is given back' becomes holds $scale "$original"
check 'the service runs' becomes is SubState running
check 'the module is gone' fails sh -c 'adaptivemmd modules | grep -q "^chaos"'

configure 60-more 'ENABLE_CACHE_PRESSURE_MGMT = 1'
check 'ours is switched on by a reload' systemctl reload $unit
check 'and runs' becomes sh -c 'adaptivemmd modules | grep "^cache-pressure" | grep -q running'
mark
check 'it is removed' without_complaint rpm --erase adaptivemm-module-cache-pressure
check 'the service goes on without it' logged 'started: a scan'
check 'what is still configured for it is a warning' logged 'ENABLE_CACHE_PRESSURE_MGMT. is not installed'
rm $drop_ins/60-more.toml

# A module that needs more rights brings a drop-in for the unit with it, which must be in force when it is started.
cat >/tmp/rights.spec <<'END'
Name: adaptivemm-module-rights
Version: 1
Release: 1
Summary: For tests
License: none
BuildArch: noarch
%description
For tests.
%install
install -d %{buildroot}/usr/lib/adaptivemmd/adaptivemmd.toml.d %{buildroot}/usr/lib/systemd/system/adaptivemmd.service.d
echo '# for tests' >%{buildroot}/usr/lib/adaptivemmd/adaptivemmd.toml.d/50-rights.toml
printf '[Service]\nCapabilityBoundingSet=CAP_SYS_PTRACE\n' >%{buildroot}/usr/lib/systemd/system/adaptivemmd.service.d/50-rights.conf
%files
%dir /usr/lib/systemd/system/adaptivemmd.service.d
/usr/lib/adaptivemmd/adaptivemmd.toml.d/50-rights.toml
/usr/lib/systemd/system/adaptivemmd.service.d/50-rights.conf
END
bounding() { sed -n 's/^CapBnd:\t//p' "/proc/$(property MainPID)/status"; }
may() { [[ $(bounding) == "$1" ]] || { bounding; return 1; }; }
rpmbuild -bb --quiet --define '_topdir /tmp/rights' /tmp/rights.spec >/tmp/output 2>&1 || cat /tmp/output
check 'a module that brings rights is installed' without_complaint rpm --install /tmp/rights/RPMS/noarch/*.rpm
check 'the service has them' becomes may 0000000000080000
check 'it is removed' without_complaint rpm --erase adaptivemm-module-rights
check 'the service has not' becomes may 0000000000000000
often() {
    for _ in 1 2 3 4; do
        rpm --install /tmp/rights/RPMS/noarch/*.rpm && rpm --erase adaptivemm-module-rights || return 1
    done
}
mark
check 'a module that comes and goes quickly' often
check 'does not end the service by the limit of starts' becomes is ActiveState active
check 'though it was started eight times' [ "$(starts)" = 8 ]
