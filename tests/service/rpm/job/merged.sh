part 'Where /usr/sbin is a link to bin, as in Fedora 42'

ours=$(file merged adaptivemm 3.0.0)
check 'the package has the program once' [ "$(rpm --query --list --package "$ours" | grep -c '/s\?bin/')" = 1 ]
check 'and no link' fails sh -c "rpm -qlvp '$ours' | grep '^l'"
check 'the other has a link besides' sh -c "rpm -qlvp '$(file repository adaptivemm 3.0.0)' | grep -e '/usr/bin/adaptivemmd -> ../sbin/adaptivemmd'"
cp -a --no-clobber /usr/sbin/. /usr/bin
rm -rf /usr/sbin
ln -s bin /usr/sbin
everything >/tmp/before
check 'it is installed' without_complaint rpm --install "$ours"
check 'the unit names it where it is' grep -q '^ExecStart=/usr/bin/adaptivemmd ' /usr/lib/systemd/system/$unit
check 'it starts' systemctl start $unit
check 'it answers by both names' sh -c '/usr/sbin/adaptivemmd status && /usr/bin/adaptivemmd status'
check 'removed' without_complaint rpm --erase adaptivemm
# Its link would take the place of the program.
check 'what was built for a separate /usr/sbin is refused' fails rpm --install "$(file repository adaptivemm 3.0.0)"
check 'and leaves nothing' fails is_installed adaptivemm
clean
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
