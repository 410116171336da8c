//! Properties of the module under any load, on any machine.

use core::time::Duration;

use adaptivemm_module_api::Tunable;
use adaptivemm_module_api::testing::{self, Machine, Verdict};
use adaptivemm_module_api::units::Pages;
use proptest::prelude::*;

use super::machine::{NODE, Simulation};
use super::rig;
use crate::{pressure, scale};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_load_values_stay_between_the_original_and_the_ceiling(
        original in 1_i64..1500, loads in prop::collection::vec((-300_000.0_f64..300_000.0, 1_u64..30), 1..12),
    ) {
        let (mut simulation, mut rig) = (Simulation::new(100_000), rig(&[]));
        simulation.set(original);
        for (load, scans) in loads {
            let _ = simulation.scans(&mut rig, scans, &[load]);
        }

        for (_, value) in simulation.writes {
            prop_assert!((original..=original.max(700)).contains(&value));
        }
    }

    #[test]
    fn a_reload_at_any_time_changes_no_bound(
        original in 1_i64..1500, loads in prop::collection::vec((-300_000.0_f64..300_000.0, 1_u64..30), 1..12),
    ) {
        let mut simulation = Simulation::new(100_000);
        simulation.set(original);
        for (load, scans) in loads {
            let _ = simulation.scans(&mut rig(&[]), scans, &[load]);
        }
        let _ = simulation.scans(&mut rig(&[]), 400, &[-100_000.0]);

        for (_, value) in &simulation.writes {
            prop_assert!((original..=original.max(700)).contains(value));
        }
        prop_assert_eq!(simulation.scale, original);
    }

    #[test]
    fn a_yielded_value_is_never_asked_for(
        loads in prop::collection::vec((-300_000.0_f64..300_000.0, 1_u64..30, any::<bool>()), 1..12),
    ) {
        let (mut simulation, mut rig) = (Simulation::new(100_000), rig(&[]));
        for (load, scans, is_yielded) in loads {
            if is_yielded && !simulation.is_yielded {
                simulation.set(simulation.scale);
            }
            simulation.is_yielded = is_yielded;
            let words = simulation.scans(&mut rig, scans, &[load]);
            prop_assert!(!is_yielded || words.iter().all(|words| words.requests.is_empty()));
        }
    }

    #[test]
    fn more_that_is_used_is_never_met_with_less(
        free in 6_000_u64..30_000, fall in 0_u64..2_000, scans in 3_u64..12, few in 0_u64..100_000, more in 0_u64..100_000,
        original in 1_i64..700,
    ) {
        let value = |reclaimed: u64| {
            let mut rig = rig(&[]);
            let mut value = original;
            for scan in 1..=scans {
                let zone = testing::Zone {
                    free: Some(Pages::new(free + fall * (scans - scan))),
                    min: Some(Pages::new(4_000)),
                    low: Some(Pages::new(5_000)),
                    high: Some(Pages::new(6_000)),
                    managed: Some(Pages::new(NODE)),
                    ..testing::Zone::new(0, "Normal")
                };
                let machine = Machine::new()
                    .uptime(Duration::from_secs(scan))
                    .meminfo(&[("SwapFree", 0)])
                    .vmstat(&[("pgsteal_kswapd", scan * reclaimed), ("allocstall_normal", 0)])
                    .zone(zone)
                    .node_stats(0, &[("nr_inactive_file", 500_000)])
                    .tunable(scale::TUNABLE, original);
                // Not carried out: what is asked for last is the largest.
                let words = rig.scan(&machine);
                for request in &words.requests {
                    let testing::Action::Set { value: asked, .. } = request.action else { unreachable!() };
                    value = value.max(asked);
                }
            }
            value
        };

        prop_assert!(value(few + more) >= value(few));
        prop_assert!((original..=700.max(original)).contains(&value(few)));
    }

    #[test]
    fn no_machine_makes_it_panic(
        zones in prop::collection::vec((0_u32..4, any::<[u64; 5]>()), 0..6), counts: [u64; 3],
        (scale, original, is_yielded) in any::<(i64, i64, bool)>(),
        uptimes in prop::collection::vec(any::<u64>(), 1..6),
    ) {
        let mut rig = rig(&[]);
        for uptime in uptimes {
            let mut machine = Machine::new()
                .uptime(Duration::from_nanos(uptime))
                .meminfo(&[("SwapFree", counts[0]), ("Hugetlb", counts[1])])
                .vmstat(&[("pgsteal_kswapd", counts[1]), ("allocstall_normal", counts[2])])
                .tunable_of(scale::TUNABLE, Tunable::new(scale).with_original(original).with_yielded(is_yielded))
                .file(pressure::FILE, format!("some total={}\n", counts[0]));
            for (node, [free, min, low, high, managed]) in &zones {
                let [free, min, low, high, managed] = [free, min, low, high, managed].map(|&pages| Some(Pages::new(pages)));
                machine = machine.zone(testing::Zone { free, min, low, high, managed, ..testing::Zone::new(*node, "Normal") });
            }

            let words = rig.scan(&machine);

            prop_assert!(!matches!(words.verdict, Verdict::Panicked(_)));
            for (_, value) in words.metrics {
                prop_assert!(value.is_finite());
            }
        }
    }
}
