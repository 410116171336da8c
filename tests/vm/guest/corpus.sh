# Records one trace of the corpus: a machine at rest, and from BEGIN_SECS on a leak or an innocent load. Everything is left in
# OUT. Loads that need no kernel and no disk of their own are recorded on the machine of whoever calls, too.
here=$(dirname "$0")
. "$here/lib.sh"
. "$here/loads.sh"
OUT=${OUT:-/out}

# Now, in ms.
clock() { awk '{ print int($1 * 1000) }' /proc/uptime; }

# What the machine of whoever calls does: it compiles, and it copies files.
begin_gcc() {
    (
        compiled=0
        until=$(($(cut -d. -f1 /proc/uptime) + HOLD_SECS))
        while [ "$(cut -d. -f1 /proc/uptime)" -lt "$until" ]; do
            for source in "$here"/../load/*.c; do gcc -O2 -o "$WORK/compiled" "$source" && compiled=$((compiled + 1)); done
        done
        echo "compiled $compiled"
    ) >"$WORK/said" &
    loader=$!
}
end_gcc() { end_program; }
begin_copies() {
    dd if=/dev/urandom of="$WORK/original" bs=1M count=64 2>/dev/null
    (
        copied=0
        until=$(($(cut -d. -f1 /proc/uptime) + HOLD_SECS))
        while [ "$(cut -d. -f1 /proc/uptime)" -lt "$until" ]; do
            cp "$WORK/original" "$WORK/copy$((copied % 8))"
            copied=$((copied + 1))
        done
        echo "copied_mib $((copied * 64))"
    ) >"$WORK/said" &
    loader=$!
}
end_copies() {
    end_program
    rm -f "$WORK/original" "$WORK"/copy*
}

case $CLASS in cache | files) make_hole 4G ;; esac
eval "parameters=\"$PARAMETERS\""
adaptivemmd record "$OUT/trace.jsonl.zst" --period-ms "$PERIOD_MS" --frames "$FRAMES" --note "$NOTE" 2>"$OUT/record.log" &
recorder=$!
start=$(clock)
sleep "$BEGIN_SECS"
begins=$(($(clock) - start))
case $KIND in
    leak)
        begin_leak "$CLASS" $parameters
        wait "$recorder"
        echo "lost_kib = $(lost_kib)" >"$OUT/label"
        end_leak
        ;;
    benign)
        begin_load "$CLASS"
        sleep "$HOLD_SECS"
        end_load "$CLASS"
        wait "$recorder"
        tr '\n' ';' <"$WORK/said" >"$OUT/said"
        : >"$OUT/label"
        ;;
esac
echo "begins_ms = $begins
kernel = \"$(uname -r)\"" >>"$OUT/label"
exit 0
