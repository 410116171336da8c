//! `vm.watermark_scale_factor` on machines of all kinds.

use serde_json::Value;

use crate::outside::scene::{Deed, HIGH, Moment, NODE, Scene};

const MODULE: &str = "free-pages";

fn values(outcomes: &[Deed]) -> Vec<i64> {
    outcomes.iter().map(|settled| settled.value).collect()
}

/// Seconds in which kswapd brings back what is used: so many pages.
fn steady(used: u64) -> impl FnMut(u64, &mut Moment) {
    move |_, moment| moment.reclaimed += used
}

#[test]
fn a_steady_load_converges() {
    let (mut scene, mut moment) = (Scene::new("a steady load"), Moment::new(HIGH));
    scene.frames(180, &mut moment, steady(20_000));

    let outcomes = scene.outcomes(MODULE, "");

    // A second of it is 20000 of 1048576 pages.
    assert_eq!(values(&outcomes), [191]);
    assert!(outcomes[0].second <= 3, "{outcomes:?}");
}

#[test]
fn a_slow_decline_leads_to_action_in_time_and_not_early() {
    const FALL: u64 = 2_000;
    let (mut scene, mut moment) = (Scene::new("a slow decline"), Moment::new(400_000));
    scene.frames(197, &mut moment, |_, moment| {
        *moment.free.get_mut(&0).unwrap() -= FALL;
    });
    let reached = (400_000 - HIGH) / FALL;
    scene.frames(20, &mut moment, steady(FALL));

    let outcomes = scene.outcomes(MODULE, "");

    assert_eq!(values(&outcomes), [20]);
    let ahead = reached - outcomes[0].second;
    assert!(
        (1..=4).contains(&ahead),
        "{ahead} s before the high watermark"
    );
}

#[test]
fn a_saw_tooth_does_not_make_it_oscillate() {
    let (mut scene, mut moment) = (Scene::new("a saw-tooth"), Moment::new(40_000));
    scene.frames(600, &mut moment, |second, moment| {
        // 10 s down to the low watermark, and up again at once.
        let free = if second % 10 == 9 {
            40_000
        } else {
            40_000 - 3_800 * (second % 10)
        };
        if second % 10 == 9 {
            moment.reclaimed += 3_800 * 9;
        }
        *moment.free.get_mut(&0).unwrap() = free;
    });

    let outcomes = scene.outcomes(MODULE, "");

    let late = outcomes
        .iter()
        .filter(|settled| settled.second >= 300)
        .count();
    assert!(!outcomes.is_empty() && outcomes.len() <= 10, "{outcomes:?}");
    assert!(late <= 2, "{outcomes:?}");
}

#[test]
fn of_nodes_that_head_in_opposite_directions_the_one_in_need_decides() {
    let (mut scene, mut moment) = (Scene::new("opposite trends"), Moment::new(HIGH));
    moment.free.insert(3, 100_000);
    scene.frames(60, &mut moment, |_, moment| {
        moment.reclaimed += 10_000;
        *moment.free.get_mut(&3).unwrap() += 5_000;
    });

    let outcomes = scene.outcomes(MODULE, "");

    assert_eq!(values(&outcomes), [96]);
}

#[test]
fn a_node_that_disappears_takes_its_need_with_it() {
    let (mut scene, mut moment) = (Scene::new("a node goes"), Moment::new(500_000));
    moment.free.insert(1, HIGH);
    scene.frames(30, &mut moment, steady(20_000));
    moment.free.remove(&1);
    scene.frames(90, &mut moment, |_, _| {});

    let outcomes = scene.outcomes(MODULE, "");

    assert_eq!(values(&outcomes)[0], 191);
    assert_eq!(values(&outcomes).last(), Some(&10), "{outcomes:?}");
    assert!(
        values(&outcomes).windows(2).all(|pair| pair[0] > pair[1]),
        "{outcomes:?}"
    );
}

#[test]
fn huge_pages_lower_the_ceiling_and_it_grows_back_when_they_are_freed() {
    let ceilings = |scene: &Scene| -> Vec<Value> {
        let events = scene.events("");
        let metrics = events
            .iter()
            .filter(|event| event["kind"] == "metric" && event["module"] == MODULE);
        metrics
            .map(|event| event["ceiling_scale"].clone())
            .collect()
    };
    let (mut scene, mut moment) = (Scene::new("huge pages"), Moment::new(500_000));
    for hugetlb in [0, 2 << 30, 0] {
        moment.hugetlb = hugetlb;
        scene.frames(5, &mut moment, |_, _| {});
    }

    let ceilings = ceilings(&scene);

    assert_eq!([&ceilings[4], &ceilings[9], &ceilings[14]], [700, 350, 700]);
}

#[test]
fn pages_may_be_of_64_kib() {
    let (mut scene, mut moment) = (
        Scene::with_pages_of(64, "pages of 64 KiB"),
        Moment::new(HIGH),
    );
    scene.frames(60, &mut moment, steady(20_000));

    let outcomes = scene.outcomes(MODULE, "");
    // 1 GiB is 16384 of 1048576 such pages.
    let capped = scene.outcomes(MODULE, "[modules.free-pages.config]\nmax-gap-gib = 1.0\n");

    assert_eq!((values(&outcomes), values(&capped)), (vec![191], vec![156]));
}

#[test]
fn the_need_decides_within_the_ceiling_and_more_need_never_gives_less() {
    let chosen: Vec<i64> = [1_000, 5_000, 20_000, 60_000, 100_000, 1_000_000]
        .map(|used| {
            let (mut scene, mut moment) = (Scene::new("a steady load"), Moment::new(HIGH));
            scene.frames(40, &mut moment, steady(used));
            values(&scene.outcomes(MODULE, ""))
                .last()
                .copied()
                .unwrap_or(10)
        })
        .to_vec();

    assert!(
        chosen.windows(2).all(|pair| pair[0] <= pair[1]),
        "{chosen:?}"
    );
    assert_eq!((chosen[0], chosen[5]), (10, 700));
}

#[test]
fn the_value_of_an_administrator_is_never_lowered() {
    let (mut scene, mut moment) = (
        Scene::new("a large value of the administrator"),
        Moment::new(HIGH),
    );
    moment.scale = Some(900);
    scene.frames(60, &mut moment, steady(20_000));
    scene.frames(120, &mut moment, |_, moment| {
        *moment.free.get_mut(&0).unwrap() = NODE / 2;
    });

    assert_eq!(scene.outcomes(MODULE, ""), []);
}
