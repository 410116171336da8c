use proptest::prelude::*;

use super::*;
use crate::base::clock::Moment;
use crate::incidents::evidence::{Holding, SourceStatus, Taken};
use Certainty::{AtMost, Charged, Exact};
use Class::{Orphans, Slab, Unaccounted, Vmalloc};

const MIB: u64 = 1 << 20;

/// Evidence of a machine on which nothing is held.
fn evidence(levels: &[(Class, i64)]) -> Evidence {
    Evidence {
        v: 1,
        taken: Taken {
            at: Moment {
                time: "2026-11-28T00:00:00Z".into(),
                uptime_ms: 0,
            },
            why: "routine".into(),
            cpu_us: 0,
            read_bytes: 0,
        },
        levels: levels
            .iter()
            .map(|(class, mib)| (*class, mib << 20))
            .collect(),
        page_size_bytes: 4096,
        modules: Vec::new(),
        sources: Vec::new(),
    }
}

fn held(owner: &str, class: Class, certainty: Certainty, mib: u64) -> Holding {
    Holding {
        owner: owner.into(),
        note: String::new(),
        class: Some(class),
        certainty,
        bytes: mib * MIB,
        within: None,
    }
}

fn seen(kind: SourceKind, held: Vec<Holding>) -> SourceReport {
    SourceReport {
        kind,
        standing: SourceStatus::Read,
        cpu_us: 0,
        held,
        least: 0,
    }
}

/// A line of a table: a source, an owner, what it holds before and after in MiB.
type Line<'a> = (SourceKind, &'a str, Class, Certainty, u64, u64);

/// Compares two evidences between which classes grew by so many MiB, and owners hold so much before and after.
fn compare(grown: &[(Class, i64)], lines: &[Line<'_>]) -> Comparison {
    let mut before = evidence(
        &grown
            .iter()
            .map(|(class, _)| (*class, 10))
            .collect::<Vec<_>>(),
    );
    let mut after = evidence(
        &grown
            .iter()
            .map(|(class, mib)| (*class, 10 + mib))
            .collect::<Vec<_>>(),
    );
    for (kind, owner, class, certainty, then, now) in lines {
        for (evidence, mib) in [(&mut before, then), (&mut after, now)] {
            let held = held(owner, *class, *certainty, *mib);
            match evidence.sources.iter_mut().find(|seen| seen.kind == *kind) {
                Some(seen) => seen.held.push(held),
                None => evidence.sources.push(seen(*kind, vec![held])),
            }
        }
    }
    Comparison::between(&before, &after)
}

/// Owner and explained MiB, in order.
fn told(comparison: &Comparison) -> Vec<(&str, u64)> {
    comparison
        .explanations
        .iter()
        .map(|line| (line.owner.as_str(), line.explained_bytes / MIB))
        .collect()
}

#[test]
fn who_explains_most_comes_first_and_nobody_explains_more_than_there_is() {
    let comparison = compare(
        &[(Slab, 100)],
        &[
            (SourceKind::Slab, "dentry", Slab, Exact, 50, 60),
            (SourceKind::Slab, "kmalloc-1k", Slab, Exact, 20, 140),
            (SourceKind::Slab, "steady", Slab, Exact, 900, 900),
            (SourceKind::Slab, "shrunk", Slab, Exact, 90, 10),
        ],
    );

    assert_eq!(told(&comparison), [("kmalloc-1k", 100), ("dentry", 10)]);
    assert_eq!(comparison.growth_bytes, 100 * MIB);
    assert_eq!(comparison.unexplained_bytes, 0);
    assert_eq!(comparison.explanations[0].before_bytes, 20 * MIB);
    assert_eq!(comparison.explanations[1].share_percent.to_string(), "10");
}

#[test]
fn an_upper_limit_does_not_beat_what_is_known_exactly() {
    let comparison = compare(
        &[(Unaccounted, 64)],
        &[
            (
                SourceKind::Descriptors,
                "pipes of shell",
                Unaccounted,
                AtMost,
                0,
                90,
            ),
            (
                SourceKind::PacketRings,
                "packet rings of tcpdump",
                Unaccounted,
                Exact,
                0,
                60,
            ),
            (
                SourceKind::Services,
                "/system.slice",
                Unaccounted,
                Charged,
                0,
                64,
            ),
        ],
    );

    let owners: Vec<_> = told(&comparison)
        .into_iter()
        .map(|(owner, _)| owner)
        .collect();
    assert_eq!(
        owners,
        ["packet rings of tcpdump", "/system.slice", "pipes of shell"]
    );
}

#[test]
fn of_two_that_explain_as_much_the_more_precise_comes_first() {
    let comparison = compare(
        &[(Vmalloc, 64)],
        &[
            (
                SourceKind::Vmalloc,
                "array_map_alloc",
                Vmalloc,
                Exact,
                0,
                64,
            ),
            (
                SourceKind::Sizes,
                "BPF maps of agent",
                Vmalloc,
                Exact,
                0,
                64,
            ),
            (
                SourceKind::AllocInfo,
                "kernel/bpf/arraymap.c:99",
                Vmalloc,
                Exact,
                0,
                64,
            ),
        ],
    );

    let owners: Vec<_> = told(&comparison)
        .into_iter()
        .map(|(owner, _)| owner)
        .collect();
    assert_eq!(
        owners,
        [
            "kernel/bpf/arraymap.c:99",
            "BPF maps of agent",
            "array_map_alloc"
        ]
    );
}

#[test]
fn sources_that_see_the_same_memory_are_not_added_up() {
    let comparison = compare(
        &[(Slab, 100), (Unaccounted, 50)],
        &[
            (SourceKind::Slab, "kmalloc-1k", Slab, Exact, 0, 60),
            (SourceKind::Services, "/a", Slab, Charged, 0, 30),
            (SourceKind::Services, "/b", Slab, Charged, 0, 40),
            (
                SourceKind::PacketRings,
                "packet rings of x",
                Unaccounted,
                Exact,
                0,
                20,
            ),
            (
                SourceKind::Descriptors,
                "pipes of y",
                Unaccounted,
                AtMost,
                0,
                10,
            ),
        ],
    );

    // 100 less 30 + 40, and 50 less 20 + 10.
    assert_eq!(comparison.unexplained_bytes, 50 * MIB);
}

#[test]
fn a_buffer_of_contiguous_memory_is_not_added_to_its_area() {
    let comparison = compare(
        &[(Unaccounted, 50)],
        &[
            (
                SourceKind::DmaBuffers,
                "DMA buffers of reserved",
                Unaccounted,
                Exact,
                0,
                20,
            ),
            (
                SourceKind::Cma,
                "CMA area reserved",
                Unaccounted,
                Exact,
                0,
                20,
            ),
        ],
    );

    assert_eq!(comparison.unexplained_bytes, 30 * MIB);
}

#[test]
fn orphans_are_a_part_of_what_is_unaccounted() {
    let comparison = compare(
        &[(Unaccounted, 80), (Orphans, 50)],
        &[(
            SourceKind::PageOwner,
            "shmem_alloc_folio",
            Orphans,
            AtMost,
            0,
            70,
        )],
    );

    assert_eq!(comparison.growth_bytes, 80 * MIB);
    assert_eq!(told(&comparison), [("shmem_alloc_folio", 50)]);
    assert_eq!(comparison.unexplained_bytes, 30 * MIB);
}

/// A holding without a class, as allocinfo says it.
fn without_class(owner: &str, mib: u64) -> Holding {
    Holding {
        class: None,
        ..held(owner, Slab, Exact, mib)
    }
}

#[test]
fn a_source_that_does_not_say_in_which_class_is_taken_for_that_which_grew_as_much() {
    let mut before = evidence(&[(Slab, 0), (Unaccounted, 0)]);
    let mut after = evidence(&[(Slab, 100), (Unaccounted, 500)]);
    before
        .sources
        .push(seen(SourceKind::AllocInfo, vec![without_class("a.c:1", 7)]));
    after.sources.push(seen(
        SourceKind::AllocInfo,
        vec![without_class("a.c:1", 100), without_class("b.c:1", 490)],
    ));

    let comparison = Comparison::between(&before, &after);

    let classes: Vec<_> = comparison
        .explanations
        .iter()
        .map(|line| (line.owner.as_str(), line.class))
        .collect();
    assert_eq!(classes, [("b.c:1", Unaccounted), ("a.c:1", Slab)]);
}

#[test]
fn who_holds_much_more_than_any_class_grew_by_is_not_of_it() {
    let mut before = evidence(&[(Slab, 0), (Unaccounted, 0)]);
    let mut after = evidence(&[(Slab, 10), (Unaccounted, 2)]);
    before.sources.push(seen(SourceKind::AllocInfo, Vec::new()));
    let lines = vec![
        without_class("fs/dcache.c:1650 __d_alloc", 41),
        without_class("a.c:1 f", 40),
    ];
    after.sources.push(seen(SourceKind::AllocInfo, lines));

    let comparison = Comparison::between(&before, &after);

    assert_eq!(told(&comparison), [("a.c:1 f", 10)]);
}

#[test]
fn a_service_that_is_charged_as_much_confirms_what_its_process_may_hold() {
    let mut before = evidence(&[(Unaccounted, 0)]);
    let mut after = evidence(&[(Unaccounted, 64)]);
    let service = held("/system.slice/leaky.service", Unaccounted, Charged, 64);
    let pipes = Holding {
        within: Some(service.owner.clone()),
        note: "PID 7".into(),
        ..held("pipes of leaky", Unaccounted, AtMost, 500)
    };
    let other = held("pipes of other", Unaccounted, AtMost, 500);
    for kind in [SourceKind::Services, SourceKind::Descriptors] {
        before.sources.push(seen(kind, vec![]));
    }
    after
        .sources
        .push(seen(SourceKind::Services, vec![service]));
    after
        .sources
        .push(seen(SourceKind::Descriptors, vec![other, pipes]));

    let comparison = Comparison::between(&before, &after);

    let lines: Vec<_> = comparison
        .explanations
        .iter()
        .map(|line| (line.owner.as_str(), line.certainty))
        .collect();
    assert_eq!(
        lines,
        [
            ("pipes of leaky (PID 7)", Charged),
            ("/system.slice/leaky.service", Charged),
            ("pipes of other", AtMost)
        ]
    );
}

#[test]
fn what_was_cut_off_before_is_known_less_exactly_and_what_failed_not_at_all() {
    let grown = [(Slab, 100)];
    let cut = SourceStatus::Cut { why: String::new() };
    let failed = SourceStatus::Failed { why: String::new() };
    let caches = |mib| vec![held("old", Slab, Exact, mib)];
    let mut before = evidence(&[(Slab, 0)]);
    let mut after = evidence(&grown);
    after.sources.push(seen(
        SourceKind::Slab,
        [caches(20), vec![held("new", Slab, Exact, 60)]].concat(),
    ));

    before.sources = vec![SourceReport {
        standing: cut,
        ..seen(SourceKind::Slab, caches(10))
    }];
    let of_cut: Vec<_> = Comparison::between(&before, &after)
        .explanations
        .iter()
        .map(|line| (line.owner.clone(), line.certainty))
        .collect();
    before.sources[0].standing = failed;
    let of_failed = Comparison::between(&before, &after);

    assert_eq!(
        of_cut,
        [("new".to_owned(), AtMost), ("old".to_owned(), AtMost)]
    );
    assert_eq!(
        (told(&of_failed), of_failed.unexplained_bytes),
        (vec![], 100 * MIB)
    );
}

#[test]
fn an_owner_that_was_left_out_before_is_given_what_it_may_have_held() {
    let mut before = evidence(&[(Slab, 0)]);
    let mut after = evidence(&[(Slab, 100)]);
    before.sources.push(SourceReport {
        least: 30 * MIB,
        ..seen(SourceKind::Slab, vec![])
    });
    after
        .sources
        .push(seen(SourceKind::Slab, vec![held("x", Slab, Exact, 50)]));

    assert_eq!(told(&Comparison::between(&before, &after)), [("x", 20)]);
}

#[test]
fn pages_by_their_flags_name_nobody() {
    let comparison = compare(
        &[(Unaccounted, 100)],
        &[
            (
                SourceKind::Census,
                "pages without flags",
                Unaccounted,
                AtMost,
                0,
                100,
            ),
            (
                SourceKind::Sockets,
                "TCP sockets",
                Unaccounted,
                Charged,
                0,
                1,
            ),
        ],
    );

    assert_eq!(
        told(&comparison),
        [("TCP sockets", 1), ("pages without flags", 100)]
    );
    assert_eq!(comparison.unexplained_bytes, 99 * MIB);
}

#[test]
fn modules_that_were_loaded_meanwhile_are_named() {
    let mut before = evidence(&[]);
    let mut after = evidence(&[]);
    before.modules = vec!["ext4".into(), "gone".into()];
    after.modules = vec!["ext4".into(), "leaky".into()];

    assert_eq!(
        Comparison::between(&before, &after).modules_loaded,
        ["leaky"]
    );
}

fn any_held() -> impl Strategy<Value = Holding> {
    let class = prop::option::of(prop::sample::select(Class::ALL.to_vec()));
    let certainty = prop::sample::select(vec![Exact, Charged, AtMost]);
    (
        "[a-d]",
        class,
        certainty,
        0_u64..1 << 40,
        prop::option::of("[a-d]"),
    )
        .prop_map(|(owner, class, certainty, bytes, within)| Holding {
            owner,
            note: String::new(),
            class,
            certainty,
            bytes,
            within,
        })
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let kinds = vec![
        SourceKind::AllocInfo,
        SourceKind::Slab,
        SourceKind::Services,
        SourceKind::Descriptors,
        SourceKind::Census,
    ];
    let sources = prop::sample::subsequence(kinds, 0..=5).prop_flat_map(|kinds| {
        let held = prop::collection::vec(any_held(), 0..8);
        let some = prop::collection::vec(held, kinds.len());
        some.prop_map(move |held| {
            kinds
                .iter()
                .zip(held)
                .map(|(kind, held)| seen(*kind, held))
                .collect::<Vec<_>>()
        })
    });
    let levels = prop::collection::btree_map(
        prop::sample::select(Class::ALL.to_vec()),
        prop_oneof![-(1_i64 << 40)..1 << 40, any::<i64>()],
        0..7,
    );
    (sources, levels).prop_map(|(sources, levels)| Evidence {
        levels,
        sources,
        ..evidence(&[])
    })
}

proptest! {
    #[test]
    fn shares_and_sums_hold_whatever_the_sources_say(before in any_evidence(), after in any_evidence()) {
        let comparison = Comparison::between(&before, &after);

        prop_assert!(comparison.unexplained_bytes <= comparison.growth_bytes);
        for line in &comparison.explanations {
            let growth = comparison.growth.iter().find(|growth| growth.class == line.class);
            let growth = growth.expect("of a class that grew");
            let rise = growth.after_bytes.saturating_sub(growth.before_bytes);
            prop_assert!(i128::from(line.explained_bytes) <= i128::from(rise));
            prop_assert!((0.0..=100.0).contains(&line.share_percent));
        }
    }

    #[test]
    fn nothing_explains_itself(same in any_evidence()) {
        let comparison = Comparison::between(&same, &same);

        prop_assert_eq!(comparison.growth_bytes, 0);
        prop_assert!(comparison.explanations.is_empty());
    }

    #[test]
    fn evidence_survives_being_written_down(evidence in any_evidence()) {
        let text = serde_json::to_string(&evidence).unwrap();

        prop_assert_eq!(serde_json::from_str::<Evidence>(&text).unwrap(), evidence);
    }
}

/// Returns how a source ended, of which the kernel's file may be the same all the time.
fn ended(is_cut: bool) -> SourceStatus {
    if is_cut {
        SourceStatus::Cut {
            why: "the time for evidence had run out".into(),
        }
    } else {
        SourceStatus::Read
    }
}

/// Returns what a source says of an owner of 100 MiB that adds up several lines: half of them, if it was cut.
fn seen_of_owner(kind: SourceKind, mib: u64, is_cut: bool) -> SourceReport {
    let mib = if is_cut { mib / 2 } else { mib };
    SourceReport {
        standing: ended(is_cut),
        ..seen(kind, vec![held("owner", Unaccounted, Exact, mib)])
    }
}

#[test]
fn a_source_that_was_cut_on_either_side_gives_an_upper_limit_and_explains_nothing() {
    for kind in SourceKind::ALL {
        for (is_cut_before, is_cut_after) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            for (then, now) in [(200, 200), (200, 400)] {
                let case = format!("{kind:?}, {is_cut_before}, {is_cut_after}, {then} to {now}");
                let (mut before, mut after) = (
                    evidence(&[(Unaccounted, 0)]),
                    evidence(&[(Unaccounted, 200)]),
                );
                before
                    .sources
                    .push(seen_of_owner(kind, then, is_cut_before));
                after.sources.push(seen_of_owner(kind, now, is_cut_after));

                let comparison = Comparison::between(&before, &after);

                let is_whole = !is_cut_before && !is_cut_after;
                for explanation in &comparison.explanations {
                    assert_eq!(explanation.partial, !is_whole, "{case}");
                    assert_eq!(explanation.certainty == AtMost, !is_whole, "{case}");
                }
                if is_whole {
                    let expected: &[_] = if then == now { &[] } else { &[("owner", 200)] };
                    assert_eq!(told(&comparison), expected, "{case}");
                } else {
                    assert_eq!(comparison.unexplained_bytes, 200 * MIB, "{case}");
                }
            }
        }
    }
}

#[test]
fn what_failed_half_way_is_no_more_than_what_was_cut() {
    let (mut before, mut after) = (evidence(&[(Slab, 0)]), evidence(&[(Slab, 100)]));
    before.sources.push(seen(SourceKind::Slab, Vec::new()));
    after.sources.push(SourceReport {
        standing: SourceStatus::Failed { why: String::new() },
        ..seen(SourceKind::Slab, vec![held("a", Slab, Exact, 100)])
    });

    let comparison = Comparison::between(&before, &after);

    assert_eq!(comparison.explanations[0].certainty, AtMost);
    assert_eq!(comparison.unexplained_bytes, 100 * MIB);
}

#[test]
fn a_service_that_was_counted_in_part_confirms_nobody() {
    let (mut before, mut after) = (
        evidence(&[(Unaccounted, 0)]),
        evidence(&[(Unaccounted, 64)]),
    );
    let pipes = Holding {
        within: Some("/a.service".into()),
        ..held("pipes of a", Unaccounted, AtMost, 500)
    };
    for kind in [SourceKind::Services, SourceKind::Descriptors] {
        before.sources.push(seen(kind, vec![]));
    }
    after.sources.push(SourceReport {
        standing: ended(true),
        ..seen(
            SourceKind::Services,
            vec![held("/a.service", Unaccounted, Charged, 64)],
        )
    });
    after
        .sources
        .push(seen(SourceKind::Descriptors, vec![pipes]));

    let comparison = Comparison::between(&before, &after);

    let certainties = comparison.explanations.iter().map(|line| line.certainty);
    assert_eq!(certainties.collect::<Vec<_>>(), [AtMost, AtMost]);
}
