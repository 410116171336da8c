use adaptivemm_module_api::units::Bytes;

use super::*;
use crate::horizon::{Alarm, Grade, OFTEN};
use crate::ring::Rise;

const MIB: i64 = 1 << 20;

fn levels(unaccounted: i64, slab: i64) -> Levels {
    let mut levels = Levels::default();
    levels.set(Series::Unaccounted, Some(Balance::new(unaccounted * MIB)));
    levels.set(Series::Slab, Some(Balance::new(slab * MIB)));
    levels
}

fn sample() -> Sample<'static> {
    Sample {
        at: Uptime(Duration::from_secs(30_000)),
        available: Bytes::new(4 << 30),
        meminfo: b"MemTotal:       1024000 kB\nMemFree:         700000 kB\n",
        ..Sample::quiet()
    }
}

/// Slab memory that rises by 10 MiB in each half hour.
fn rising(grade: Grade) -> Rising {
    let per_stretch = Balance::new(10 * MIB).as_f64();
    Rising {
        series: Series::Slab,
        horizon: 1,
        members: Members::of(Series::Slab),
        alarm: Alarm {
            grade,
            rise: Rise {
                from: Balance::new(200 * MIB),
                to: Balance::new(310 * MIB),
                largest_step: Balance::new(11 * MIB),
                late: Balance::new(44 * MIB),
                late_rest: Balance::new(33 * MIB),
                concordance: 66,
            },
            slopes: Slopes {
                low: per_stretch * 0.8,
                middle: per_stretch,
                high: per_stretch * 1.25,
            },
            least: Balance::new(32 * MIB),
            hits: 3,
            needed: OFTEN,
        },
    }
}

fn report(grade: Grade, circumstances: &[&str]) -> Report {
    let growth = Growth {
        sample: &sample(),
        from: Uptime(Duration::from_secs(10_200)),
        before: levels(50, 200),
        now: levels(70, 310),
        circumstances: circumstances.iter().map(ToString::to_string).collect(),
    };
    let mut first = Reading::empty();
    first.keep(&Sample {
        at: Uptime(Duration::from_secs(26_400)),
        meminfo: b"MemTotal:       1024000 kB\nMemFree:         900000 kB\n",
        ..sample()
    });
    let floors = [200, 310].map(|mib| Balance::new(mib * MIB));
    Report::trend(&growth, &rising(grade), &floors, &first)
}

#[test]
fn a_trend_is_told_with_its_rate_its_end_and_all_that_led_to_it() {
    let report = report(Grade::Warning, &[]);

    assert_eq!(
        report.text,
        "Possible memory leak (trend): kernel slab memory (SUnreclaim) grew from 200.0 MiB to 310.0 MiB (+110.0 MiB) \
         in 5.5 h, by 20.0 MiB per hour; the 4.0 GiB available would last 6.8 days to 10.7 days; \
         kernel memory grew by 130.0 MiB in all, kernel slab memory (SUnreclaim) by 110.0 MiB; \
         its floor rose in 66 of 66 pairs of 30 minutes, confirmed in 3 of the last 4"
    );
    assert_eq!(
        report.details,
        "What only a leak makes grow for long, then and now:\n\
         unaccounted memory: 51200 kB -> 71680 kB (+20480 kB)\n\
         kernel slab memory (SUnreclaim): 204800 kB -> 317440 kB (+112640 kB)\n\
         The least of kernel slab memory (SUnreclaim) in each of the last 2 stretches of 30 minutes (kB): 204800, 317440\n\
         Rules: rose by 110.0 MiB, at least 32.0 MiB; largest step 10 % of it, at most 40 %; last third 40 %, \
         without that step 33 %, at least 25 %; Mann-Kendall 66 of 66, at least 54; in 3 of the last 4 closes, at least 3\n\
         Which slab cache grows: slabtop -o -s c, or /proc/slabinfo\n\
         Fields of /proc/meminfo that changed by more than 10 % in these 60 min:\n\
         MemFree: 900000 kB -> 700000 kB (-22 %)\n\
         /proc/meminfo now:\n\
         MemTotal: 1024000 kB, MemFree: 700000 kB"
    );
    assert_eq!(report.severity, Severity::Warning);
}

#[test]
fn a_trend_has_its_numbers_with_their_units() {
    let numbers = report(Grade::Warning, &[]).numbers;
    let of = |name| {
        numbers
            .iter()
            .find(|number| number.0 == name)
            .map(|number| number.1.round())
    };

    assert_eq!(of("growth_bytes"), Some(115_343_360.0));
    assert_eq!(of("growth_bytes_per_second"), Some(5825.0));
    assert_eq!(of("exhausted_in_seconds"), Some(737_280.0));
    assert_eq!(of("slab_growth_bytes"), Some(115_343_360.0));
    assert_eq!(of("unaccounted_growth_bytes"), Some(20_971_520.0));
    assert_eq!(of("vmalloc_growth_bytes"), None);
}

#[test]
fn a_note_is_no_warning_and_known_causes_are_named() {
    let report = report(Grade::Note, &["the huge pages changed", "MemTotal changed"]);

    assert_eq!(report.severity, Severity::Notice);
    assert!(
        report
            .text
            .contains("by 110.0 MiB; the huge pages changed; MemTotal changed; its floor"),
        "{}",
        report.text
    );
}

#[test]
fn how_long_memory_lasts_is_a_range() {
    let slopes = |low, high| Slopes {
        low,
        middle: 1.0,
        high,
    };

    assert_eq!(range(7200.0, &slopes(0.5, 2.0)), "60 min to 4.0 h");
    assert_eq!(range(7200.0, &slopes(1.0, 1.0)), "about 2.0 h");
    assert_eq!(range(7200.0, &slopes(0.0, 2.0)), "60 min or longer");
    assert_eq!(range(7200.0, &slopes(-1.0, 2.0)), "60 min or longer");
}
