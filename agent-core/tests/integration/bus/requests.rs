//! What modules ask for.

use std::fs;

use agent_core::actions::Mode;
use agent_core::scan::Threads;

use crate::bus::bench::{AMPLE, BOTH, Bench};

#[test]
fn what_a_module_asks_for_is_done_and_given_back_at_the_end() {
    for threads in BOTH {
        let mut bench = Bench::new(threads, &format!("{AMPLE}[modules.asking]\nenabled = true"));

        let log = bench.scan();
        let value = bench.tunable();
        let restored = bench.restore();

        assert_eq!(
            log,
            "info asking: 10 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 20: done, was 10 (free memory falls by 3 MiB/s) [decision 1]\n"
        );
        assert_eq!(
            (value.as_str(), bench.tunable().as_str(), restored.as_str()),
            ("20", "10", "vm.watermark_scale_factor restored to 10")
        );
        assert_eq!(
            fs::read_to_string(bench.machine.path().join("proc/sys/vm/swappiness")).unwrap(),
            "60\n"
        );
    }
}

#[test]
fn a_value_that_somebody_else_sets_is_left_alone_and_this_is_said_once() {
    let config = format!("{AMPLE}[modules.asking]\nenabled = true");
    let mut bench = Bench::new(Threads::None, &config);
    bench.scan();

    let already = bench.scan();
    bench.set_tunable("35\n");
    let log = bench.scans(3);
    let restored = bench.restore();

    let answers = |value| format!("info asking: {value} [Ok(()), Err(Denied), Err(Denied)]\n");
    let told = "notice core: vm.watermark_scale_factor was changed externally to 35 (originally 10); tuning is \
                paused until `adaptivemmd resume vm.watermark_scale_factor`\n";
    let theirs = answers("somebody else's 35 (once 35)");
    assert_eq!(already, answers("20 (once 10)"));
    assert_eq!(log, [theirs + told, String::new(), String::new()]);
    assert_eq!((bench.tunable().as_str(), restored.as_str()), ("35", ""));
}

#[test]
fn nothing_is_written_in_a_simulation() {
    for threads in BOTH {
        let config = format!("{AMPLE}[modules.asking]\nenabled = true");
        let mut bench = Bench::with_mode(Mode::Simulate, threads, &config);

        let log = bench.scan();
        let again = bench.scan();
        let restored = bench.restore();

        assert_eq!(again, "", "neither is told in each scan");
        assert_eq!(
            log,
            "info asking: 10 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 20: simulated only, stays 10 \
             (free memory falls by 3 MiB/s) [decision 1]\n"
        );
        assert_eq!((bench.tunable().as_str(), restored.as_str()), ("10", ""));
    }
}

#[test]
fn a_module_that_is_to_advise_changes_nothing_and_repeats_nothing() {
    let config = format!("{AMPLE}[modules.asking]\nenabled = true\nmode = \"advise\"");
    let mut bench = Bench::new(Threads::OnePerModule, &config);

    let log = bench.scans(2);
    let restored = bench.restore();

    let answers = "info asking: 10 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n";
    assert_eq!(
        log,
        [
            format!(
                "{answers}notice asking: vm.watermark_scale_factor = 20: advised, not done (free memory falls by 3 MiB/s) [decision 1]\n"
            ),
            // What is the same is counted, and said again in an hour.
            String::new()
        ]
    );
    assert_eq!((bench.tunable().as_str(), restored.as_str()), ("10", ""));
}

#[test]
fn only_what_the_administrator_allows_is_taken() {
    let lists = [
        ("[]", "Err(Denied)", "10"),
        ("[\"vm.vfs_cache_pressure\"]", "Err(Denied)", "10"),
        ("[\"vm.watermark_scale_factor\"]", "Ok(())", "20"),
    ];
    for (list, answer, value) in lists {
        let config = format!("{AMPLE}[modules.asking]\nenabled = true\nallow = {list}");
        let mut bench = Bench::new(Threads::OnePerModule, &config);

        let log = bench.scan();

        let answers = format!("info asking: 10 (once 10) [{answer}, Err(Denied), Err(Denied)]");
        assert_eq!(
            (log.lines().next().unwrap(), bench.tunable().as_str()),
            (answers.as_str(), value),
            "{list}"
        );
    }
}

#[test]
fn a_value_that_would_do_harm_is_refused_at_once() {
    for value in [0, 3001] {
        let config = format!(
            "{AMPLE}[modules.asking]\nenabled = true\n[modules.asking.config]\nvalue = {value}"
        );
        let mut bench = Bench::new(Threads::None, &config);

        assert_eq!(
            bench.scan(),
            "info asking: 10 (once 10) [Err(Invalid), Err(Denied), Err(Denied)]\n"
        );
        assert_eq!(bench.tunable(), "10");
    }
}

#[test]
fn of_two_modules_that_want_the_same_one_is_idle() {
    let both =
        format!("{AMPLE}[modules.asking]\nenabled = true\n[modules.rival]\nenabled = true\n");

    for threads in BOTH {
        let mut bench = Bench::new(threads, &both);
        let logs = bench.scans(2);

        assert_eq!(
            bench.agent.idle()[0].to_string(),
            "the module asking owns vm.watermark_scale_factor; to use it instead, set `enabled = false` in \
             [modules.asking]; to keep both, set `mode = \"advise\"` in [modules.rival], or an `allow` without what it \
             does not own"
        );
        assert_eq!(
            logs[0],
            "info asking: 10 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 20: done, was 10 (free memory falls by 3 MiB/s) [decision 1]\n"
        );
        assert!(!logs[1].contains("rival"), "{}", logs[1]);
    }
    let settled = Bench::new(Threads::None, &format!("{both}allow = []")).scan();
    assert_eq!(
        settled,
        "info asking: 10 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
         info rival: Err(Denied)\n\
         notice asking: vm.watermark_scale_factor = 20: done, was 10 (free memory falls by 3 MiB/s) [decision 1]\n"
    );
}

#[test]
fn what_is_refused_is_told_once_to_whoever_wants_to_know() {
    let config = format!("{AMPLE}[modules.asking]\nenabled = true\nallow = []");
    for threads in BOTH {
        let mut bench = Bench::new(threads, &config);
        bench.journal.set_verbosity(3);

        let logs = bench.scans(2).concat();

        let told: Vec<_> = logs
            .lines()
            .filter(|line| line.contains("refused"))
            .collect();
        assert_eq!(
            told,
            [
                "debug asking: vm.watermark_scale_factor = 20: refused, because it is not declared in `writes`, or not \
                 allowed"
            ]
        );
    }
}

#[test]
fn what_a_module_had_changed_that_breaks_down_is_given_back_at_once() {
    for threads in BOTH {
        let mut bench = Bench::new(threads, &format!("{AMPLE}[modules.doomed]\nenabled = true"));

        bench.scan();
        let changed = bench.tunable();
        let log = bench.scans(2);

        assert_eq!((changed.as_str(), bench.tunable().as_str()), ("25", "10"));
        assert!(
            log[0].contains("error doomed: quarantined for 60 s")
                && log[0].ends_with("notice core: vm.watermark_scale_factor restored to 10\n"),
            "{log:?}"
        );
        assert_eq!((log[1].as_str(), bench.restore().as_str()), ("", ""));
    }
}
