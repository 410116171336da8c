use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;

const WSF: &str = "proc/sys/vm/watermark_scale_factor";

fn machine() -> (tempfile::TempDir, Root) {
    let tree = tempfile::tempdir().unwrap();
    fs::create_dir_all(tree.path().join("proc/sys/vm")).unwrap();
    fs::write(tree.path().join(WSF), "10\n").unwrap();
    let root = Root::Directory(tree.path().to_owned());
    (tree, root)
}

fn live(root: &Root) -> Actuator {
    Actuator::new(root.clone(), Mode::Live, Ledger::in_memory())
}

fn scale(value: i64) -> Action {
    Action::Set {
        tunable: "vm.watermark_scale_factor".to_owned(),
        value,
    }
}

fn found(tree: &tempfile::TempDir) -> String {
    let text = fs::read_to_string(tree.path().join(WSF)).unwrap();
    text.trim_end().to_owned()
}

fn at(seconds: u64) -> Uptime {
    Uptime(Duration::from_secs(seconds))
}

fn done(before: &str) -> ActionOutcome {
    ActionOutcome::Done {
        before: before.to_owned(),
    }
}

/// The owner of the value that the tunable has, as the actuator sees it.
fn observe(actuator: &mut Actuator, tree: &tempfile::TempDir, now: Uptime) -> TunableOwner {
    let knob = tunables::find("vm.watermark_scale_factor").unwrap();
    actuator.observe(knob, found(tree).trim().parse().unwrap(), now)
}

fn told(actuator: &mut Actuator) -> Vec<String> {
    actuator.notices().iter().map(ToString::to_string).collect()
}

#[test]
fn a_change_is_written_and_given_back_at_the_end() {
    let (tree, root) = machine();
    let mut actuator = live(&root);

    let outcomes = [20, 40].map(|value| actuator.carry_out(&scale(value), at(1)).unwrap());
    let changed = found(&tree);
    let restored = actuator.restore();

    assert_eq!(outcomes, [done("10"), done("20")]);
    assert_eq!(
        (changed.as_str(), found(&tree).as_str(), restored.len()),
        ("40", "10", 1)
    );
    assert_eq!(actuator.restore().len(), 0);
}

#[test]
fn a_simulation_writes_nothing() {
    let (tree, root) = machine();
    let mut actuator = Actuator::new(root, Mode::Simulate, Ledger::in_memory());

    let outcome = actuator.carry_out(&scale(20), at(1)).unwrap();

    assert_eq!(outcome.to_string(), "simulated only, stays 10");
    assert_eq!(found(&tree), "10");
}

#[test]
fn a_rehearsal_changes_what_is_seen_next_and_no_file() {
    let (tree, root) = machine();
    let mut actuator = Actuator::new(root, Mode::Rehearse, Ledger::in_memory());
    observe(&mut actuator, &tree, at(1));

    let outcomes = [20, 20, 40].map(|value| actuator.carry_out(&scale(value), at(1)).unwrap());
    let machine: Vec<_> = actuator.rehearsed().collect();

    assert_eq!(outcomes, [done("10"), ActionOutcome::AlreadySo, done("20")]);
    assert_eq!(machine, [("/proc/sys/vm/watermark_scale_factor", 40)]);
    assert_eq!(found(&tree), "10");
}

#[test]
fn a_value_that_somebody_else_set_is_left_alone_and_this_is_told_once() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.carry_out(&scale(20), at(1)).unwrap();
    let ours = observe(&mut actuator, &tree, at(2));

    fs::write(tree.path().join(WSF), "35\n").unwrap();
    let theirs = [3, 4].map(|now| observe(&mut actuator, &tree, at(now)));
    let outcome = actuator.carry_out(&scale(40), at(5)).unwrap();
    let told = told(&mut actuator);

    let original = Some(10);
    let [is_yielded, not_yielded] = [true, false];
    assert_eq!(
        ours,
        TunableOwner {
            original,
            is_yielded: not_yielded
        }
    );
    assert_eq!(
        theirs,
        [TunableOwner {
            original: None,
            is_yielded
        }; 2]
    );
    assert_eq!(
        outcome,
        ActionOutcome::Yielded {
            found: "35".to_owned()
        }
    );
    assert_eq!(
        told,
        [
            "vm.watermark_scale_factor was changed externally to 35 (originally 10); tuning is paused until \
          `adaptivemmd resume vm.watermark_scale_factor`"
        ]
    );
    assert_eq!(actuator.restore().len(), 0);
    assert_eq!(found(&tree), "35");
}

#[test]
fn somebody_who_is_faster_than_the_next_scan_is_noticed_before_anything_is_written() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.carry_out(&scale(20), at(1)).unwrap();
    fs::write(tree.path().join(WSF), "10\n").unwrap();

    let outcome = actuator.carry_out(&scale(40), at(2)).unwrap();

    assert_eq!(
        outcome,
        ActionOutcome::Yielded {
            found: "10".to_owned()
        }
    );
    assert_eq!(found(&tree), "10");
}

#[test]
fn what_was_yielded_is_ours_again_when_we_are_told() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.carry_out(&scale(20), at(1)).unwrap();
    fs::write(tree.path().join(WSF), "35\n").unwrap();
    observe(&mut actuator, &tree, at(2));

    let resumed = [Some("vm.swappiness"), None, None].map(|tunable| actuator.resume(tunable));
    let outcome = actuator.carry_out(&scale(40), at(3)).unwrap();
    let restored = actuator.restore();

    assert_eq!(resumed, [0, 1, 0]);
    assert_eq!(outcome, done("35"));
    assert_eq!(restored[0].original, "35");
    assert_eq!(
        told(&mut actuator).last().map(String::as_str),
        Some("tuning of vm.watermark_scale_factor resumed")
    );
}

#[test]
fn what_was_yielded_is_ours_again_after_the_time_that_was_chosen() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.limit(ChangeLimits {
        resume_after: Some(Duration::from_secs(60)),
        ..ChangeLimits::default()
    });
    actuator.carry_out(&scale(20), at(1)).unwrap();
    fs::write(tree.path().join(WSF), "35\n").unwrap();

    let yielded = [10, 69, 70].map(|now| observe(&mut actuator, &tree, at(now)).is_yielded);

    assert_eq!(yielded, [true, true, false]);
    assert!(
        told(&mut actuator)[0].contains("tuning is paused for 60 s or until `adaptivemmd resume ")
    );
}

#[test]
fn a_value_that_somebody_sets_while_we_hold_nothing_is_the_new_original() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.carry_out(&scale(20), at(1)).unwrap();
    actuator.carry_out(&scale(10), at(2)).unwrap();

    fs::write(tree.path().join(WSF), "35\n").unwrap();
    let standing = observe(&mut actuator, &tree, at(3));
    actuator.carry_out(&scale(40), at(4)).unwrap();

    assert_eq!(
        standing,
        TunableOwner {
            original: None,
            is_yielded: false
        }
    );
    assert_eq!(actuator.restore()[0].original, "35");
    assert_eq!(found(&tree), "35");
}

#[test]
fn a_module_that_cannot_make_up_its_mind_is_slowed_down() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    actuator.limit(ChangeLimits {
        per_minute: 2,
        ..ChangeLimits::default()
    });

    let outcomes = [(20, 1), (40, 2), (20, 3), (20, 60), (20, 61)]
        .map(|(value, now)| actuator.carry_out(&scale(value), at(now)).unwrap());

    let too_often = || ActionOutcome::TooOften { limit: 2 };
    assert_eq!(
        outcomes,
        [done("10"), done("20"), too_often(), too_often(), done("40")]
    );
    assert_eq!(found(&tree), "20");
}

/// `write` to this file fails with `ENOSPC`, whoever tries it: a kernel that refuses.
fn refuse(tree: &tempfile::TempDir) {
    let file = tree.path().join(WSF);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
}

#[test]
fn a_value_that_the_kernel_refuses_leaves_no_trace_in_the_ledger() {
    let (tree, root) = machine();
    let mut actuator = live(&root);
    let knob = tunables::find("vm.watermark_scale_factor").unwrap();
    // It is read before: /dev/full is full of zeros, and no number.
    refuse(&tree);

    let error = actuator.change(knob, "10", 20).unwrap_err();

    assert!(
        error
            .to_string()
            .ends_with("No space left on device (os error 28)"),
        "{error}"
    );
    assert_eq!(actuator.ledger.entries().count(), 0);
}

#[test]
fn a_file_that_holds_no_number_is_not_written() {
    let (tree, root) = machine();
    fs::write(tree.path().join(WSF), "always [madvise] never\n").unwrap();

    let error = live(&root).carry_out(&scale(20), at(1)).unwrap_err();

    assert!(
        error
            .to_string()
            .ends_with("expected a whole number, found \"always [madvise] never\""),
        "{error}"
    );
    assert_eq!(found(&tree), "always [madvise] never");
}

fn compacted(actuator: &mut Actuator) -> Vec<Notice> {
    loop {
        let notices = actuator.notices();
        if !notices.is_empty() {
            return notices;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_node_is_compacted_while_scans_go_on() {
    let (tree, root) = machine();
    let node = tree.path().join("sys/devices/system/node/node1");
    fs::create_dir_all(&node).unwrap();
    // Nobody reads from it yet: whoever writes to it is held up, as by the kernel.
    let file = node.join("compact");
    let path = std::ffi::CString::new(file.to_str().unwrap()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path.as_c_str(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let mut actuator = live(&root);
    let compact = Action::CompactNode { node: 1 };

    let outcomes = [1, 2].map(|now| actuator.carry_out(&compact, at(now)).unwrap());
    let before = actuator.notices();
    let written = fs::read_to_string(&file).unwrap();
    let after = compacted(&mut actuator);

    assert_eq!(outcomes, [ActionOutcome::Begun, ActionOutcome::Busy]);
    assert_eq!((before.len(), written.as_str()), (0, "1\n"));
    assert!(
        matches!(
            after[..],
            [Notice::Compacted {
                node: 1,
                error: None,
                ..
            }]
        ),
        "{after:?}"
    );
}

#[test]
fn a_kernel_without_nodes_is_compacted_as_a_whole() {
    let (tree, root) = machine();
    let file = tree.path().join("proc/sys/vm/compact_memory");
    fs::write(&file, "").unwrap();
    let mut actuator = live(&root);

    let whole = actuator
        .carry_out(&Action::CompactNode { node: 0 }, at(1))
        .unwrap();
    let other = actuator.carry_out(&Action::CompactNode { node: 1 }, at(1));
    let _ended = compacted(&mut actuator);

    assert_eq!(whole, ActionOutcome::Begun);
    assert_eq!(fs::read_to_string(&file).unwrap(), "1\n");
    assert!(other.is_err());
}

#[test]
fn a_node_that_cannot_be_compacted_is_told_later() {
    let (tree, root) = machine();
    let node = tree.path().join("sys/devices/system/node/node0");
    fs::create_dir_all(&node).unwrap();
    std::os::unix::fs::symlink("/dev/full", node.join("compact")).unwrap();
    let mut actuator = live(&root);

    actuator
        .carry_out(&Action::CompactNode { node: 0 }, at(1))
        .unwrap();
    let notices = compacted(&mut actuator);

    let text = notices[0].to_string();
    assert!(
        text.starts_with("cannot compact node 0: cannot write "),
        "{text}"
    );
    assert!(
        text.ends_with("No space left on device (os error 28)"),
        "{text}"
    );
}

#[test]
fn a_tunable_that_the_kernel_lacks_is_an_error_that_names_the_file() {
    let (tree, root) = machine();
    let mut actuator = live(&root);

    let error = actuator
        .carry_out(&Action::CompactNode { node: 7 }, at(1))
        .unwrap_err();

    let path = tree.path().join("sys/devices/system/node/node7/compact");
    assert_eq!(
        error.to_string(),
        format!("cannot write {}: entity not found", path.display())
    );
}

#[test]
fn what_a_daemon_that_died_had_changed_is_given_back_by_the_next_one() {
    let (tree, root) = machine();
    let runtime_dir = tempfile::tempdir().unwrap();
    let actuator = || {
        let ledger = Ledger::open(runtime_dir.path(), "this-boot").0;
        Actuator::new(root.clone(), Mode::Live, ledger)
    };
    let mut first = actuator();
    first.carry_out(&scale(20), at(1)).unwrap();
    first.carry_out(&scale(40), at(2)).unwrap();
    drop(first);

    let restored = actuator().restore();

    assert_eq!(
        (
            restored[0].tunable.as_str(),
            restored[0].original.as_str(),
            found(&tree).as_str()
        ),
        ("vm.watermark_scale_factor", "10", "10")
    );
    assert!(matches!(restored[0].result, Ok(true)));
    assert_eq!(actuator().restore().len(), 0);
}

#[test]
fn nothing_is_changed_whose_original_value_cannot_be_noted() {
    let (tree, root) = machine();
    let ledger = Ledger::open(Path::new("/nowhere"), "this-boot").0;
    let mut actuator = Actuator::new(root, Mode::Live, ledger);

    let error = actuator.carry_out(&scale(20), at(1)).unwrap_err();

    assert!(matches!(error, ActionFailed::Ledger(_)), "{error}");
    assert_eq!(found(&tree), "10");
}

#[test]
fn a_daemon_that_died_before_it_wrote_what_it_had_noted_leaves_nothing_to_be_given_back() {
    let (tree, root) = machine();
    let runtime_dir = tempfile::tempdir().unwrap();
    let open = || Ledger::open(runtime_dir.path(), "this-boot").0;
    open()
        .note("vm.watermark_scale_factor", "10", "20")
        .unwrap();

    let restored = Actuator::new(root, Mode::Live, open()).restore();

    assert!(matches!(restored[0].result, Ok(true)));
    assert_eq!((found(&tree).as_str(), open().entries().count()), ("10", 0));
}

/// A machine, and a ledger in a directory that can be taken away.
fn with_ledger() -> (tempfile::TempDir, tempfile::TempDir, Actuator) {
    let (tree, root) = machine();
    let home = tempfile::tempdir().unwrap();
    let runtime_dir = home.path().join("run");
    fs::create_dir(&runtime_dir).unwrap();
    let ledger = Ledger::open(&runtime_dir, "this-boot").0;
    (tree, home, Actuator::new(root, Mode::Live, ledger))
}

/// From now on nothing can be written to the ledger, not even by root.
fn take_away(home: &tempfile::TempDir) {
    fs::rename(home.path().join("run"), home.path().join("away")).unwrap();
    fs::write(home.path().join("run"), "").unwrap();
}

fn bring_back(home: &tempfile::TempDir) {
    fs::remove_file(home.path().join("run")).unwrap();
    fs::rename(home.path().join("away"), home.path().join("run")).unwrap();
}

#[test]
fn what_was_given_back_and_cannot_be_forgotten_stays_in_the_ledger_and_both_is_said() {
    let (tree, home, mut actuator) = with_ledger();
    actuator.carry_out(&scale(20), at(1)).unwrap();
    take_away(&home);

    let restored = actuator.restore();
    bring_back(&home);
    let later = actuator.restore();

    let text = restored[0].to_string();
    assert!(
        text.starts_with(
            "vm.watermark_scale_factor restored to 10, but it stays in the ledger: the ledger cannot be written ("
        ),
        "{text}"
    );
    assert!(restored[0].is_given_back() && restored[0].result.is_err());
    assert_eq!(found(&tree), "10");
    assert!(matches!(later[0].result, Ok(true)));
    assert_eq!(fs::read_dir(home.path().join("run")).unwrap().count(), 0);
}

#[test]
fn a_change_that_cannot_be_noted_as_it_came_out_is_taken_back() {
    let (tree, home, mut actuator) = with_ledger();
    let knob = tunables::find("vm.watermark_scale_factor").unwrap();
    actuator.carry_out(&scale(20), at(1)).unwrap();
    let noted = actuator.ledger().entry(knob.name).cloned();
    // The next value, 40, was noted and written, and the kernel has made 37 of it.
    actuator.ledger.note(knob.name, "20", "40").unwrap();
    fs::write(tree.path().join(WSF), "37\n").unwrap();
    take_away(&home);

    let error = actuator
        .note_taken(knob, "20", "40", "37", noted.clone())
        .unwrap_err();
    let after = (found(&tree), actuator.ledger().entry(knob.name).cloned());
    bring_back(&home);
    let restored = actuator.restore();

    assert!(matches!(error, ActionFailed::Ledger(_)), "{error}");
    assert_eq!(after, ("20".to_owned(), noted));
    assert!(matches!(restored[0].result, Ok(true)));
    assert_eq!(found(&tree), "10");
}

#[test]
fn a_value_that_can_be_neither_noted_nor_taken_back_is_known_to_be_ours() {
    let (tree, home, mut actuator) = with_ledger();
    let knob = tunables::find("vm.watermark_scale_factor").unwrap();
    actuator.carry_out(&scale(20), at(1)).unwrap();
    take_away(&home);
    let moved = tree.path().join("moved");
    fs::rename(tree.path().join(WSF), &moved).unwrap();

    let error = actuator
        .note_taken(knob, "10", "20", "37", None)
        .unwrap_err();
    fs::rename(&moved, tree.path().join(WSF)).unwrap();
    fs::write(tree.path().join(WSF), "37\n").unwrap();
    let standing = observe(&mut actuator, &tree, at(2));
    bring_back(&home);
    actuator.restore();

    assert!(matches!(error, ActionFailed::Write { .. }), "{error}");
    assert_eq!((standing.original, standing.is_yielded), (Some(10), false));
    assert_eq!(found(&tree), "10");
}
