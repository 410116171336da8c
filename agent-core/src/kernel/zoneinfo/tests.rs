use proptest::prelude::*;

use super::*;

const TWO_NODES: &str = "\
Node 0, zone      DMA
  per-node stats
  nr_inactive_anon 409
  nr_isolated_file 3
  pages free     3840
    boost    5
    min      66
    low      82
    high     98
    promo    114
    spanned  4095
    present  3998
    managed  3840
    cma      0
    protection: (0, 3019, 3787, 3787, 3787)
  nr_free_pages 3840
  nr_free_cma  0
  pagesets
cpu: 0
          count:    7
          high:     0
          batch:    1
  vm stats threshold: 4
cpu: 1
          count:    35
          high:     0
          batch:    1
  vm stats threshold: 4
  node_unreclaimable:  0
  start_pfn:           1
Node 0, zone  Movable
  pages free     0
    min      0
    low      0
    high     0
    spanned  0
    present  0
    managed  0
    protection: (0, 0, 0, 0, 0)
Node 8, zone   Normal
  per-node stats
  nr_inactive_anon 11
  pages free     100
    min      1
    low      2
    high     3
    managed  500
";

fn pages(pages: Option<Pages>) -> Option<u64> {
    pages.map(Pages::get)
}

#[test]
fn zones_of_several_nodes_are_read() {
    let zoneinfo: Zoneinfo = TWO_NODES.parse().unwrap();

    let zones: Vec<_> = zoneinfo
        .zones()
        .map(|zone| {
            (
                zone.node(),
                zone.name(),
                pages(zone.free()),
                pages(zone.high()),
                pages(zone.per_cpu()),
            )
        })
        .collect();

    assert_eq!(
        zones,
        [
            (0, "DMA", Some(3840), Some(98), Some(42)),
            (0, "Movable", Some(0), Some(0), None),
            (8, "Normal", Some(100), Some(3), None),
        ]
    );
}

#[test]
fn what_a_zone_does_not_say_is_absent() {
    let zoneinfo: Zoneinfo = TWO_NODES.parse().unwrap();

    let boosts: Vec<_> = zoneinfo
        .zones()
        .map(|zone| (pages(zone.boost()), pages(zone.cma())))
        .collect();

    assert_eq!(boosts, [(Some(5), Some(0)), (None, None), (None, None)]);
}

#[test]
fn counters_of_nodes_and_zones_are_told_apart() {
    let zoneinfo: Zoneinfo = TWO_NODES.parse().unwrap();

    let nodes: Vec<(u32, Vec<_>)> = zoneinfo
        .nodes()
        .map(|node| (node.id(), node.stats().collect()))
        .collect();
    let dma: Vec<_> = zoneinfo
        .zones()
        .next()
        .unwrap()
        .counters()
        .map(|(key, _)| key)
        .collect();

    assert_eq!(
        nodes,
        [
            (0, vec![("nr_inactive_anon", 409), ("nr_isolated_file", 3)]),
            (8, vec![("nr_inactive_anon", 11)])
        ]
    );
    assert_eq!(dma, ["promo", "nr_free_pages", "nr_free_cma"]);
}

#[test]
fn a_second_reading_changes_the_numbers() {
    let mut zoneinfo: Zoneinfo = TWO_NODES.parse().unwrap();

    let text = TWO_NODES
        .replace("count:    35", "count:    5")
        .replace("high:     0", "high:     77");
    zoneinfo.update(text.as_bytes()).unwrap();

    assert_eq!(
        zoneinfo.zones().next().map(|zone| pages(zone.per_cpu())),
        Some(Some(12))
    );
}

#[test]
fn a_file_without_a_zone_is_refused() {
    let error = "pages free 1\n".parse::<Zoneinfo>().unwrap_err();

    assert_eq!(
        error.to_string(),
        "expected a heading such as `Node 0, zone Normal`, found \"pages free 1\""
    );
}

proptest! {
    #[test]
    fn never_panics(text in "(Node |, zone|[0-9]{1,25}|pages free |min |per-node stats|pagesets|count: |[ \n,:]|\\PC){0,60}") {
        if let Ok(zoneinfo) = text.parse::<Zoneinfo>() {
            for zone in zoneinfo.zones() {
                let _ = (zone.name(), zone.per_cpu(), zone.counters().count());
            }
            let _ = zoneinfo.nodes().map(|node| node.stats().count()).collect::<Vec<_>>();
        }
    }

    #[test]
    fn reads_back_what_the_kernel_prints(counts in prop::collection::vec((any::<u32>(), any::<u32>()), 1..5)) {
        let zone = |(free, count): &(u32, u32)| format!(
            "Node 1, zone   Normal\n  pages free     {free}\n        min      3\n  pagesets\n    cpu: 0\n              count:    {count}\n"
        );
        let text: String = counts.iter().map(zone).collect();
        let zoneinfo: Zoneinfo = text.parse()?;

        let read: Vec<_> = zoneinfo.zones().map(|z| (pages(z.free()), pages(z.per_cpu()))).collect();

        let printed: Vec<_> = counts.iter().map(|&(f, c)| (Some(u64::from(f)), Some(u64::from(c)))).collect();
        prop_assert_eq!(read, printed);
    }
}
