part 'apt brings the modules that are packages of their own'

everything >/tmp/before
echo "deb [trusted=yes] file:$payload/archive ./" >/tmp/sources.list
mkdir -p /tmp/lists/partial /tmp/cache/archives/partial
apt() {
    apt-get -qq -y -o Dir::Etc::SourceList=/tmp/sources.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=/tmp/lists \
        -o Dir::Cache=/tmp/cache -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
module=adaptivemm-module-cache-pressure
installed() { [[ $(dpkg-query --show --showformat '${db:Status-Status}' $module) == installed ]]; }
check 'the archive is read' apt update
check 'the core is installed from a file' apt install $payload/adaptivemm_3*.deb
check 'its module came with it' installed
check 'and is loaded' becomes sh -c 'adaptivemmd modules | grep -A 2 "^cache-pressure " | grep /modules/cache-pressure.so'
check 'purged' dpkg --purge $module adaptivemm
dpkg --install $payload/adaptivemm_2.1*.deb >/dev/null 2>&1
check 'an upgrade from one without modules' apt install adaptivemm
check 'brings it, too' installed
check 'purged' dpkg --purge $module adaptivemm
systemctl daemon-reload
everything >/tmp/after
check 'nothing is left behind' diff /tmp/before /tmp/after
