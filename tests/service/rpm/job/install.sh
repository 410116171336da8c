part 'dnf installs the packages'

original=$(cat $scale)
everything >/tmp/before
begins
mark
check 'dnf installs it, without a complaint' without_complaint dnf install adaptivemm-3.0.0
check 'it is that version' is_version adaptivemm 3.0.0
check 'the module that is a package of its own came with it' is_version adaptivemm-module-cache-pressure 3.0.0
check 'all files are as packaged' rpm --verify adaptivemm adaptivemm-module-cache-pressure
check 'it is enabled, by the preset that it was built with' systemctl is-enabled --quiet $unit
check 'and not started, as is the custom' is ActiveState inactive
check 'it starts' systemctl start $unit
check 'it is active: it has said that it is ready' is ActiveState active
if [[ $(stat -f -c %T "/proc/$(property MainPID)/root$scale") != tmpfs ]]; then
    is_live
fi
check 'it knows its unit' [ "$(property FragmentPath)" = /usr/lib/systemd/system/$unit ]
check 'the log says which modules run' logged 'started: a scan every 1 s, modules: .*memleak'
check 'the module that came is loaded, and off by default' sh -c 'adaptivemmd modules | grep "^cache-pressure" | grep -q disabled'
check 'the shipped configuration is valid' adaptivemmd check-config
check 'systemd-analyze has nothing to say about the unit' sh -c '! systemd-analyze verify --man=no adaptivemmd.service 2>&1 | grep adaptivemmd'
check 'the program is of the compiler above' grep -aqE "/rustc(/$(compiler commit-hash)|-$(compiler release))/" /usr/sbin/adaptivemmd
user() { nobody env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 "$@"; }
check 'a user, who has no /usr/sbin in the path, may ask how things stand' user sh -c 'adaptivemmd status | grep -q memleak'
check 'nobody but root may reload' fails user adaptivemmd reload
check 'the catalog of the journal explains the log' \
    sh -c 'journalctl -t adaptivemmd -x --no-pager | grep -q "Subject: adaptivemmd started"'

part 'What the packages say'
provides() { rpm --query --provides "$1"; }
for crate in toml serde_json rustix; do
    check "the daemon has the crate $crate, of the version in Cargo.lock" \
        sh -c "rpm -q --provides adaptivemm | grep -Fx 'bundled(crate($crate)) = $(awk -v crate="$crate" '$1 == "name" { is = $3 == "\"" crate "\"" } is && $1 == "version" { gsub(/"/, "", $3); print $3 }' $payload/Cargo.lock | tr - '~')'"
done
check 'all that it has is in Cargo.lock' [ "$(provides adaptivemm | grep -c '^bundled(crate')" -gt 30 -a \
    -z "$(provides adaptivemm | sed -n 's/^bundled(crate(\(.*\))) = .*/\1/p' | while read -r name; do grep -qx "name = \"$name\"" $payload/Cargo.lock || echo "$name"; done)" ]
check 'what is needed to test only is not in it' fails sh -c 'rpm -q --provides adaptivemm | grep -e insta -e proptest'
check 'nor what is needed to build only' fails sh -c 'rpm -q --provides adaptivemm | grep -e "(cc)" -e "(syn)"'
check 'the library that a crate has in it is named, too' sh -c 'rpm -q --provides adaptivemm | grep "^bundled(zstd) = "'
check 'a module has its own' sh -c 'rpm -q --provides adaptivemm-module-cache-pressure | grep "bundled(crate(inventory)"'
licences() { sed 's/: [^:]*$//' "$(rpm --query --licensefiles adaptivemm | grep dependencies)" | sort -u; }
# Whatever the order of alternatives.
normal() { tr -d '()' | sed 's/ AND /\n/g' | while read -r one; do sed 's/ OR /\n/g' <<<"$one" | sort | paste -sd'|'; done | sort -u; }
check 'the licences of all of them are in that of the package' [ -z "$(comm -23 <(licences | normal) <(rpm -q --queryformat '%{LICENSE}\n' adaptivemm | normal))" ]
check 'it depends on nothing but libraries, systemd and a shell' fails sh -c \
    'rpm -q --requires adaptivemm | grep -v -e "^lib[a-z_]*[.]so" -e "^ld-linux" -e "^rpmlib" -e "^rtld" -e "^/bin/sh$" -e "^systemd$" -e "^config(" -e "^/usr/bin/sh$"'
