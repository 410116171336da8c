//! What a replay makes of what is asked for.

use crate::outside::scene::{HIGH, Moment, Scene, WSF};

const MODULE: &str = "free-pages";

/// A load that needs 191, and after half a minute an administrator who wants 50.
fn administrator() -> Scene {
    let (mut scene, mut moment) = (Scene::new("an administrator sets 50"), Moment::new(HIGH));
    scene.frames(120, &mut moment, |second, moment| {
        moment.reclaimed += 20_000;
        if second >= 30 {
            moment.scale = Some(50);
        }
    });
    scene
}

fn said(scene: &Scene, config: &str) -> Vec<String> {
    let log = scene.log(config);
    let lines = log
        .lines()
        .filter(|line| line.contains(" core: ") && line.contains(WSF));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_value_that_an_administrator_sets_in_between_is_left_alone() {
    let scene = administrator();

    let outcomes = scene.outcomes(MODULE, "");

    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    assert_eq!(
        said(&scene, ""),
        [
            "30.000 notice core: vm.watermark_scale_factor was changed externally to 50 (originally 10); tuning is \
             paused until `adaptivemmd resume vm.watermark_scale_factor`"
        ]
    );
}

#[test]
fn after_the_time_that_was_chosen_it_is_changed_again() {
    let scene = administrator();
    let config = "[core]\nresume-secs = 60\n";

    let outcomes = scene.outcomes(MODULE, config);

    let values: Vec<i64> = outcomes.iter().map(|settled| settled.value).collect();
    assert_eq!(values, [191, 191], "{outcomes:?}");
    assert!((90..=95).contains(&outcomes[1].second), "{outcomes:?}");
    assert_eq!(
        said(&scene, config)[1],
        "90.000 notice core: tuning of vm.watermark_scale_factor resumed"
    );
}

#[test]
fn a_trace_that_repeats_a_value_does_not_undo_what_was_asked_for() {
    let (mut scene, mut moment) = (Scene::new("a steady load"), Moment::new(HIGH));
    scene.frames(60, &mut moment, |_, moment| moment.reclaimed += 20_000);

    let events = scene.events("");

    let metrics = events
        .iter()
        .filter(|event| event["kind"] == "metric" && event["module"] == MODULE);
    let seen: Vec<_> = metrics
        .map(|event| {
            (
                event["scale"].as_i64().unwrap(),
                event["original_scale"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!((seen[0], seen[59]), ((10, 10), (191, 10)));
    let changes = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!(changes, 1, "{seen:?}");
}

#[test]
fn in_advise_mode_nothing_changes() {
    let (mut scene, mut moment) = (Scene::new("a steady load"), Moment::new(HIGH));
    scene.frames(60, &mut moment, |_, moment| moment.reclaimed += 20_000);

    let outcomes = scene.outcomes(MODULE, "[modules.free-pages]\nmode = \"advise\"\n");

    assert!(
        !outcomes.is_empty() && outcomes.iter().all(|settled| settled.code == "advised"),
        "{outcomes:?}"
    );
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    let scene = administrator();

    assert_eq!(scene.events(""), scene.events(""));
    assert_eq!(scene.log(""), scene.log(""));
}
