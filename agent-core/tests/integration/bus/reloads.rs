//! Modules over a reload of the configuration.

use agent_core::modules::catalogue::registrations;
use agent_core::scan::Threads;

use crate::bus::bench::{AMPLE, BOTH, Bench, idle, settings};
use crate::bus::modules::GATES;

#[test]
fn a_module_that_clashes_after_a_reload_is_idle_and_the_rest_goes_on() {
    let config =
        format!("{AMPLE}[modules.good]\nenabled = true\n[modules.asking]\nenabled = true\n");
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    bench.scan();

    let clash = settings(&format!("{config}[modules.rival]\nenabled = true\n"));
    bench.agent.reconfigure(&clash, &registrations().0).unwrap();
    let log = bench.scan();

    assert_eq!(idle(&bench.agent), ["rival"]);
    assert_eq!(
        log,
        "info asking: 20 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
         notice good: call 2, scan 2, tag 0\n"
    );
}

#[test]
fn whoever_comes_to_own_a_tunable_by_a_reload_displaces_who_had_it() {
    for threads in BOTH {
        let rival = format!("{AMPLE}[modules.rival]\nenabled = true\n");
        let mut bench = Bench::new(threads, &rival);
        bench.scan();

        bench.reload(&format!("{rival}[modules.asking]\nenabled = true\n"));
        let both = (idle(&bench.agent), bench.scan());
        bench.reload(&rival);
        let alone = (idle(&bench.agent), bench.scan());

        assert_eq!(both.0, ["rival"]);
        assert!(both.1.contains("= 20: done, was 30"), "{}", both.1);
        assert_eq!(alone.0, Vec::<String>::new());
        assert!(alone.1.contains("= 30: done, was 20"), "{}", alone.1);
    }
}

#[test]
fn a_reload_keeps_what_did_not_change_and_starts_the_rest_anew() {
    for threads in BOTH {
        let config = format!("{AMPLE}[modules.good]\nenabled = true\n");
        let mut bench = Bench::new(threads, &config);
        let mut log = bench.scans(2);

        bench.reload(
            "[core]\nperiod-secs = 7\ndeadline-secs = 50\n[modules.good]\nenabled = true\n\
             [modules.zealous]\nenabled = true\n[modules.zealous.config]\ngate = 5",
        );
        log.push(bench.scan());
        bench.reload(&format!("{config}[modules.good.config]\ntag = 1"));
        log.push(bench.scan());
        bench.reload(AMPLE);
        log.push(bench.scan());

        assert_eq!(
            log,
            [
                "notice good: call 1, scan 1, tag 0\n",
                "notice good: call 2, scan 2, tag 0\n",
                "notice good: call 3, scan 3, tag 0\nnotice zealous: seen in scan 3\n",
                "notice good: call 1, scan 4, tag 1\n",
                "",
            ]
        );
    }
}

#[test]
fn a_reload_starts_modules_anew_that_were_quarantined_or_hang() {
    let config = format!(
        "{AMPLE}[modules.panicking]\nenabled = true\n\
         [modules.waiting]\nenabled = true\ndeadline-ms = 100\n[modules.waiting.config]\nscans = 1\ngate = 6\n"
    );
    let mut bench = Bench::new(Threads::OnePerModule, &config);
    bench.scan();
    let silent = bench.scan();

    bench.reload(&config);
    let log = bench.scan();
    GATES[6].open();

    assert_eq!(silent, "");
    assert_eq!(
        log,
        "warning panicking: a half-baked word\nnotice waiting: seen in scan 3\n"
    );
}

#[test]
fn a_module_that_is_made_anew_is_told_the_value_before_the_daemon_changed_it() {
    for threads in BOTH {
        let config = format!("{AMPLE}[modules.asking]\nenabled = true\n");
        let mut bench = Bench::new(threads, &config);
        bench.scan();

        bench.reload(&format!("{config}[modules.asking.config]\nvalue = 40"));
        let log = bench.scan();
        let restored = bench.restore();

        assert_eq!(
            log,
            "info asking: 20 (once 10) [Ok(()), Err(Denied), Err(Denied)]\n\
             notice asking: vm.watermark_scale_factor = 40: done, was 20 (free memory falls by 3 MiB/s) [decision 2]\n"
        );
        assert_eq!(restored, "vm.watermark_scale_factor restored to 10");
    }
}

#[test]
fn what_no_module_may_change_any_more_is_given_back_by_a_reload() {
    let on = format!("{AMPLE}[modules.asking]\nenabled = true\n");
    let offs = [
        AMPLE.to_owned(),
        format!("{on}mode = \"advise\"\n"),
        format!("{on}allow = []\n"),
    ];
    for off in offs {
        let mut bench = Bench::new(Threads::None, &on);
        bench.scan();

        let kept = bench.reload(&format!("{on}[modules.asking.config]\nvalue = 30\n"));
        let given_back = bench.reload(&off);

        assert_eq!(kept, "");
        assert_eq!(given_back, "vm.watermark_scale_factor restored to 10");
        assert_eq!(
            (bench.tunable().as_str(), bench.restore().as_str()),
            ("10", "")
        );
    }
}
