//! `/proc/net/sockstat` and `/proc/net/protocols`: how much memory the sockets of a protocol hold.

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

/// TCP and UDP of both versions of IP share a count.
const SOCKSTAT: &str = "/proc/net/sockstat";
const SOCKSTAT6: &str = "/proc/net/sockstat6";
const PROTOCOLS: &str = "/proc/net/protocols";

/// The buffers of sockets are partly slab, so that this is more than what shows as unaccounted.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    let mut add = |owner: &str, bytes| {
        found.add(Some(Class::Unaccounted), Certainty::Charged, owner, bytes);
    };
    meter.lines(SOCKSTAT, |line| {
        if let Some((protocol, pages)) = number(line, "mem") {
            add(
                &format!("{protocol} sockets"),
                Pages::new(pages).bytes(page_size).get(),
            );
        }
        if let Some((protocol, held)) = number(line, "memory") {
            add(&format!("{protocol}: fragments of packets"), held);
        }
    })?;
    // A kernel without IPv6 has not this one.
    let sixth = meter.lines(SOCKSTAT6, |line| {
        if let Some((protocol, held)) = number(line, "memory") {
            add(&format!("{protocol}: fragments of packets"), held);
        }
    });
    let others = meter.lines(PROTOCOLS, |line| {
        if let Some((protocol, pages)) = protocol(line) {
            add(
                &format!("{protocol} sockets"),
                Pages::new(pages).bytes(page_size).get(),
            );
        }
    });
    for result in [sixth, others] {
        match result {
            Ok(()) | Err(Halt::Missing) => {}
            Err(halt) => return Err(halt),
        }
    }
    Ok(())
}

/// The number after `key` in `TCP: inuse 2 orphan 0 tw 119 alloc 2 mem 163`.
fn number<'a>(line: &'a str, key: &str) -> Option<(&'a str, u64)> {
    let (protocol, rest) = line.split_once(':')?;
    let mut words = rest.split_ascii_whitespace();
    words.find(|word| *word == key)?;
    Some((protocol, words.next()?.parse().ok()?))
}

/// The pages in a line of `protocols`: `name size sockets memory press ...`, where -1 is none. TCP and UDP
/// are left out, as `sockstat` has them.
fn protocol(line: &str) -> Option<(&str, u64)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next()?;
    let is_known = ["TCP", "UDP", "MPTCP"]
        .iter()
        .any(|known| name.starts_with(known));
    let pages = words.nth(2)?.parse().ok()?;
    (!is_known).then_some((name, pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_say_how_many_pages_they_hold() {
        let tcp = "TCP: inuse 2 orphan 0 tw 119 alloc 2 mem 163";
        let fragments = "FRAG: inuse 0 memory 4096";

        assert_eq!(number(tcp, "mem"), Some(("TCP", 163)));
        assert_eq!(number(tcp, "memory"), None);
        assert_eq!(number(fragments, "memory"), Some(("FRAG", 4096)));
    }

    #[test]
    fn those_of_which_sockstat_does_not_tell_are_taken_from_the_list_of_protocols() {
        let lines = [
            "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em",
            "SCTPv6    1576     12     430   no       0   yes  sctp        y  y  y  n  y  y  y  y  y  y  n  y  y  y  y  n  n  n",
            "UNIX-STREAM 1152   10      -1   NI       0   yes  kernel      y  n  n  n  n  n  n  n  n  n  n  n  n  n  n  y  n  n",
            "TCPv6     2608      3     163   no     320   yes  kernel      y  y  y  y  y  y  y  y  y  y  n  y  y  y  y  y  n  y",
            "",
        ];

        let found: Vec<_> = lines.into_iter().filter_map(protocol).collect();
        assert_eq!(found, [("SCTPv6", 430)]);
    }

    #[test]
    fn odd_lines_say_nothing() {
        for line in [
            "",
            ":",
            "TCP:",
            "TCP: mem",
            "TCP: mem x",
            "mem 5",
            "TCP: mem -1",
        ] {
            assert_eq!(number(line, "mem"), None, "{line}");
        }
    }
}
