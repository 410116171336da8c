//! Modules that cannot be created.

use std::time::{Duration, Instant};

use crate::containment::bench::{AMPLE, BOTH, Bench, modules};
use crate::containment::daemons::Den;

#[test]
fn a_module_that_hangs_while_it_is_created_delays_the_start_and_no_more() {
    // Both wait at the same time.
    let dens = BOTH.map(|isolation| {
        let config = modules(isolation, AMPLE, "mode = \"create-hang\"");
        (isolation, Den::new("period-secs = 0.1", &config))
    });
    let start = Instant::now();
    let daemons = dens
        .each_ref()
        .map(|(isolation, den)| (*isolation, den, den.start()));

    for (isolation, den, mut daemon) in daemons {
        let said = daemon.until("was not created within 5 s");
        daemon.until("calm: scan 2");
        let took = start.elapsed();
        let stand = den.stand();
        let (status, _) = daemon.terminate();

        let expected = match isolation {
            "none" => {
                "quarantined for 60 s, or until a reload (SIGHUP): it was not created within 5 s"
            }
            _ => "it was not created within 5 s; it is started again",
        };
        assert!(said.ends_with(expected), "{said}");
        assert!(
            stand.contains(
                expected
                    .split(';')
                    .next()
                    .unwrap()
                    .trim_start_matches("quarantined ")
            ),
            "{stand}"
        );
        assert!(took < Duration::from_secs(9), "{isolation}: {took:?}");
        assert!(status.success());
    }
}

#[test]
fn wrong_options_refuse_the_start() {
    for isolation in BOTH {
        let den = Den::new("", &modules(isolation, AMPLE, "mode = \"create-wrong\""));

        let (status, said) = den.start().end();

        assert_eq!(status.code(), Some(78));
        assert_eq!(
            said.last().unwrap(),
            "adaptivemmd: [modules.chaos.config] mode: chaos by request"
        );
    }
}

#[test]
fn a_reload_with_wrong_options_changes_nothing() {
    for isolation in BOTH {
        let good = modules(isolation, AMPLE, "mode = \"none\"");
        let den = Den::new("period-secs = 0.1", &good);
        let mut daemon = den.start();
        daemon.until("calm: scan 1");

        den.configure(
            "period-secs = 0.1",
            &modules(isolation, AMPLE, "mode = \"create-wrong\""),
        );
        daemon.send(rustix::process::Signal::HUP);

        daemon.until("the old one stays in force: [modules.chaos.config] mode: chaos by request");
        daemon.until("calm: scan");
    }
}

#[test]
fn a_process_that_ends_while_it_is_created_is_started_again_and_then_quarantined() {
    let config = modules("process", AMPLE, "mode = \"create-exit\"");
    let mut bench = Bench::new(&config);
    bench.step = Duration::from_secs(5);

    let log = bench.scans(3);

    let died = "its process exited with status 0";
    assert_eq!(
        log,
        [
            format!("error chaos: {died}; it is started again\n"),
            String::new(),
            format!("error chaos: quarantined for 60 s, or until a reload (SIGHUP): {died}\n"),
        ]
    );
}
