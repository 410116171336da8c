//! Compaction and `vm.vfs_cache_pressure`.

use crate::outside::scene::{Moment, Scene};

/// A node whose free pages go into smaller and smaller blocks.
fn fragmenting(moment: &mut Moment, node: u32, second: u64) {
    let free = moment.free[&node];
    let large = (free >> 9).saturating_sub(second * 12);
    let rest = free - (large << 9);
    moment
        .blocks
        .insert(node, vec![rest, 0, 0, 0, 0, 0, 0, 0, 0, large, 0]);
}

#[test]
fn a_node_is_compacted_before_its_large_blocks_run_out_and_once_per_cool_down() {
    let (mut scene, mut moment) = (Scene::new("node 1 fragments"), Moment::new(200_000));
    moment.free.insert(1, 200_000);
    scene.frames(180, &mut moment, |second, moment| {
        fragmenting(moment, 1, second.min(40));
    });

    let outcomes = scene.outcomes("compaction", "");

    let run_out = (200_000 >> 9) / 12;
    assert!(
        outcomes
            .iter()
            .all(|settled| (settled.value, settled.code.as_str()) == (1, "begun")),
        "{outcomes:?}"
    );
    assert!(
        (8..=run_out + 1).contains(&outcomes[0].second),
        "{outcomes:?}"
    );
    let pauses: Vec<u64> = outcomes
        .windows(2)
        .map(|pair| pair[1].second - pair[0].second)
        .collect();
    // It never helps in a recording, so it is asked for ever more rarely.
    assert!(pauses.iter().all(|pause| *pause >= 60), "{outcomes:?}");
    assert!(outcomes.len() <= 2, "{outcomes:?}");
}

#[test]
fn while_large_blocks_become_more_nothing_is_compacted() {
    let (mut scene, mut moment) = (Scene::new("node 0 recovers"), Moment::new(200_000));
    scene.frames(120, &mut moment, |second, moment| {
        fragmenting(moment, 0, 30_u64.saturating_sub(second / 2));
    });

    assert_eq!(scene.outcomes("compaction", ""), []);
}

#[test]
fn growing_caches_are_kept_step_by_step_and_the_original_pressure_comes_back() {
    let config = "ENABLE_CACHE_PRESSURE_MGMT = 1\n";
    let (mut scene, mut moment) = (Scene::new("dentries grow"), Moment::new(500_000));
    scene.frames(60, &mut moment, |_, moment| {
        moment.objects += moment.objects / 50;
    });
    scene.frames(240, &mut moment, |_, _| {});

    let outcomes = scene.outcomes("cache-pressure", config);

    let values: Vec<i64> = outcomes.iter().map(|settled| settled.value).collect();
    let lowest = *values.iter().min().unwrap();
    assert_eq!(values[..2], [90, 81], "{outcomes:?}");
    assert!(lowest >= 3, "{outcomes:?}");
    assert_eq!(values.last(), Some(&100), "{outcomes:?}");
}
