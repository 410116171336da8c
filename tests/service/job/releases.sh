. /payload/job/work.sh
part 'Upgrade from 3.0 to 3.1, and back, in the middle of work'

old_file=/etc/default/adaptivemmd
ours=$(echo $payload/adaptivemm_3*.deb)
next=$(echo $payload/next/adaptivemm_3*.deb)
original=$(cat $scale)
mkdir -p $drop_ins /etc/sysconfig
everything >/tmp/before
field() { dpkg-deb --field "$1" Version; }
is_version() { [[ $(dpkg-query --show --showformat '${Version}' "$1") == "$2" ]]; }
# installs WHAT PACKAGE: in the middle of work.
installs() { moves "$1" "$(field "$2")" dpkg --force-downgrade --install "$2"; }
works dpkg --install "$ours" $payload/adaptivemm-module-chaos_1_*.deb
installs '3.1' "$next"
installs 'back to 3.0' "$ours"

dies
mark
check '3.1 replaces the dead one' dpkg --install "$next"
check 'and starts' is ActiveState active
rises '3.1 after a death'
installs 'and back to 3.0' "$ours"

part 'From 3.0 to 2.1 in the middle of work, and forth again'
old=$(echo $payload/adaptivemm_2.1*.deb)
mark
# 2.1 has its settings there.
mv $old_file /etc/sysconfig
old_file=/etc/sysconfig/adaptivemmd
check 'the old package is installed' dpkg --force-downgrade --force-depends --force-confold --install "$old"
is_of_old
mark
check '3.0 is installed again' dpkg --install "$ours"
check 'it changes the tunable again' becomes holds $scale 20
keeps 'after 2.1'
chaos "$stop_asking"
systemctl restart $unit
check 'at the end the original value is there' holds $scale "$original"
check 'purged' dpkg --purge adaptivemm-module-chaos adaptivemm
rm -f $old_file $drop_ins/*.toml
mkdir -p $drop_ins
systemctl daemon-reload
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
rm -r /etc/adaptivemmd
