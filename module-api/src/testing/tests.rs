use core::time::Duration;

use super::*;
use crate::units::{Bytes, PageSize, Pages};
use crate::{
    Action as Declared, Config, ConfigProblem, ConfigProblems, Info, Meminfo, Module, Need, Number,
    Opt, Out, Refused, Request as Asked, ScanError, Severity, Snapshot, Tunable, Vmstat,
};

/// Says all that it sees.
struct Witness;

impl Module for Witness {
    const INFO: Info = Info {
        needs: &[
            Need::MEMINFO,
            Need::VMSTAT,
            Need::ZONEINFO,
            Need::BUDDYINFO,
            Need::HUGEPAGES,
            Need::NODE_MEMINFO,
            Need::file("/proc/loadavg"),
        ],
        writes: &[
            Declared::set("vm.swappiness"),
            Declared::set("vm.dirty_ratio"),
        ],
        ..Info::new("witness", "1.0.0", "Says all that it sees")
    };

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        out.status(&shown(snapshot.meminfo().as_ref(), meminfo));
        say(out, &shown(snapshot.vmstat().as_ref(), vmstat));
        for zone in snapshot.zones()? {
            say(out, &described(&zone));
        }
        for node in snapshot.nodes()? {
            let meminfo = shown(node.meminfo().as_ref(), meminfo);
            let stats = shown(node.stats().as_ref(), vmstat);
            say(
                out,
                &format!("node {}: meminfo {meminfo}, stats {stats}", node.id),
            );
        }
        for pool in snapshot.hugepages()? {
            say(out, &format!("{} pages of {}", pool.count, pool.size));
        }
        for path in [
            "/proc/meminfo",
            "/proc/vmstat",
            "/proc/loadavg",
            "/proc/never-asked-for",
        ] {
            let content = snapshot.file(path).map(String::from_utf8_lossy);
            say(out, &shown(content, |text| format!("{path}: {text:?}")));
        }
        out.metric("scan", Bytes::new(snapshot.scan()).as_f64());
        out.metric("uptime_seconds", snapshot.uptime().0.as_secs_f64());
        out.metric("period_seconds", snapshot.period().as_secs_f64());
        out.metric("page_size_bytes", snapshot.page_size().bytes().as_f64());
        out.metric("is_steady", f64::from(u8::from(snapshot.is_steady())));
        for name in ["vm.swappiness", "vm.dirty_ratio", "vm.never_declared"] {
            let tunable = snapshot.tunable(name);
            say(
                out,
                &shown(tunable, |tunable| format!("{name}: {tunable:?}")),
            );
        }
        Ok(())
    }
}

fn say(out: &mut Out<'_>, text: &str) {
    out.finding(&crate::Finding::new(Severity::Info, "seen", text));
}

fn shown<T>(found: Result<T, impl ToString>, show: impl FnOnce(T) -> String) -> String {
    found.map_or_else(|why| why.to_string(), show)
}

fn described(zone: &crate::Zone<'_>) -> String {
    let blocks = shown(zone.free_blocks(), |blocks| {
        format!("{:?}", blocks.collect::<Vec<_>>())
    });
    let own = vmstat(&zone.counters());
    format!(
        "{} of node {}: {} free, high {}, {own}, {blocks}",
        zone.name,
        zone.node,
        zone.free.unwrap(),
        zone.high.unwrap()
    )
}

fn meminfo(meminfo: &Meminfo<'_>) -> String {
    let memory = meminfo.iter().map(|(key, bytes)| (key, bytes.get()));
    format!("{:?}", memory.chain(meminfo.counts()).collect::<Vec<_>>())
}

fn vmstat(vmstat: &Vmstat<'_>) -> String {
    format!("{:?}", vmstat.iter().collect::<Vec<_>>())
}

fn machine() -> Machine {
    Machine::new()
        .uptime(Duration::from_secs(90))
        .period(Duration::from_secs(15))
        .page_size(PageSize::new(65_536).unwrap())
        .unsteady()
        .meminfo(&[("MemTotal", 4 << 20), ("HugePages_Total", 3)])
        .vmstat(&[("nr_free_pages", 7)])
        .zone(Zone {
            free: Some(Pages::new(50)),
            high: Some(Pages::new(9)),
            counters: vec![("nr_free_cma".to_owned(), 2)],
            free_blocks: Some(vec![10, 20]),
            ..Zone::new(0, "Normal")
        })
        .zone(Zone::new(3, "Movable"))
        .node_stats(3, &[("nr_isolated_anon", 1)])
        .node_meminfo(0, &[("MemFree", 4096)])
        .hugepages(Bytes::new(1 << 30), 1)
        .hugepages(Bytes::new(2 << 20), 5)
        .tunable("vm.swappiness", 60)
        .tunable_of(
            "vm.dirty_ratio",
            Tunable {
                original: 20,
                is_yielded: true,
                ..Tunable::new(40)
            },
        )
        .tunable("vm.never_declared", 1)
        .file("/proc/loadavg", "0.00\n")
        .file("/proc/never-asked-for", "1\n")
}

#[test]
fn a_module_sees_all_that_the_test_describes() {
    let words = Rig::create::<Witness>(&[]).unwrap().scan(&machine());

    assert_eq!(words.verdict, Verdict::Good);
    assert_eq!(
        words.status,
        r#"[("MemTotal", 4194304), ("HugePages_Total", 3)]"#
    );
    assert_eq!(
        words.told(),
        [
            r#"info seen: [("nr_free_pages", 7)]"#,
            r#"info seen: Normal of node 0: 50 pages free, high 9 pages, [("nr_free_cma", 2)], [10, 20]"#,
            "info seen: Movable of node 3: 0 pages free, high 0 pages, [], \
             there is no line for this zone in /proc/buddyinfo",
            r#"info seen: node 0: meminfo [("MemFree", 4096)], stats there is no line for this node in /proc/zoneinfo"#,
            r#"info seen: node 3: meminfo there is no meminfo of this node, stats [("nr_isolated_anon", 1)]"#,
            "info seen: 5 pages of 2.0 MiB",
            "info seen: 1 pages of 1.0 GiB",
            r#"info seen: /proc/meminfo: "MemTotal:           4096 kB\nHugePages_Total:       3\n""#,
            r#"info seen: /proc/vmstat: "nr_free_pages 7\n""#,
            r#"info seen: /proc/loadavg: "0.00\n""#,
            "info seen: the module does not declare that it uses /proc/never-asked-for",
            "info seen: vm.swappiness: Tunable { value: 60, original: 60, is_yielded: false }",
            "info seen: vm.dirty_ratio: Tunable { value: 40, original: 20, is_yielded: true }",
            "info seen: the module does not declare that it uses vm.never_declared",
        ]
    );
    let metrics: Vec<_> = words
        .metrics
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        metrics,
        [
            ("scan", 1.0),
            ("uptime_seconds", 90.0),
            ("period_seconds", 15.0),
            ("page_size_bytes", 65_536.0),
            ("is_steady", 0.0),
        ]
    );
}

#[test]
fn what_is_not_given_is_absent() {
    let mut rig = Rig::create::<Witness>(&[]).unwrap();
    let zone = Machine::new().zone(Zone::new(0, "Normal"));

    let nothing = rig.scan(&Machine::new());
    let files = rig.scan(
        &zone
            .unreadable("/proc/loadavg", 5)
            .unreadable("/sys/kernel/mm/hugepages", 13),
    );

    assert_eq!(nothing.status, "there is no /proc/meminfo");
    assert_eq!(
        nothing.verdict,
        Verdict::Failed("there is no /proc/zoneinfo".to_owned())
    );
    assert_eq!(
        files.verdict,
        Verdict::Failed(
            "cannot read /sys/kernel/mm/hugepages: Permission denied (os error 13)".to_owned()
        )
    );
}

#[test]
fn what_is_not_there_is_told_from_what_is_unreadable_and_what_was_not_declared() {
    let mut rig = Rig::create::<Witness>(&[]).unwrap();
    let machine = Machine::new()
        .meminfo(&[("MemTotal", 4096)])
        .unreadable("/proc/meminfo", 5)
        .unreadable("vm.swappiness", 13)
        .hugepages(Bytes::new(2 << 20), 0)
        .zone(Zone::new(0, "Normal"));

    let words = rig.scan(&machine);

    let why = "cannot read /proc/meminfo: Input/output error (os error 5)";
    assert_eq!(words.status, why);
    assert_eq!(
        words.told(),
        [
            "info seen: there is no /proc/vmstat",
            "info seen: Normal of node 0: 0 pages free, high 0 pages, [], there is no /proc/buddyinfo",
            "info seen: 0 pages of 2.0 MiB",
            &format!("info seen: {why}"),
            "info seen: there is no /proc/vmstat",
            "info seen: there is no /proc/loadavg",
            "info seen: the module does not declare that it uses /proc/never-asked-for",
            "info seen: cannot read vm.swappiness: Permission denied (os error 13)",
            "info seen: there is no vm.dirty_ratio",
            "info seen: the module does not declare that it uses vm.never_declared",
        ]
    );
}

/// Does what its option says.
struct Actor(String);

const DEED: Opt<&'static str> = Opt::text("deed", "nothing", "What it does");
const SHARE: Opt<f64> = Opt::float("share-percent", 1.5, 0.0, 100.0, "Nothing");
const COUNT: Opt<i64> = Opt::integer("count", 3, 1, 10, "Nothing");
const SWITCH: Opt<bool> = Opt::boolean("switch", true, "Nothing");

impl Module for Actor {
    const INFO: Info = Info {
        writes: &[Declared::set("vm.swappiness")],
        options: &[&DEED, &SHARE, &COUNT, &SWITCH],
        ..Info::new("actor", "1.0.0", "Does what its option says")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let deed = config.text(&DEED);
        assert!(deed != "panic-in-create", "as told");
        if deed == "refuse" {
            let [key, text] = ["deed", "is nothing that one does"].map(str::to_owned);
            return Err(ConfigProblems(vec![ConfigProblem { key, text }]));
        }
        Ok(Self(format!(
            "{deed} {:?} {} {}",
            config.float(&SHARE),
            config.integer(&COUNT),
            config.boolean(&SWITCH)
        )))
    }

    fn scan(&mut self, _: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        out.status(&self.0);
        assert!(!self.0.starts_with("panic-in-scan"), "as told");
        if self.0.starts_with("ask") {
            let numbers = [Number::new("free_bytes", 1.0)];
            let requests = [
                Asked::set("vm.swappiness", 10, "why not")
                    .details("20 is too much\n5 too little")
                    .numbers(&numbers),
                Asked::set("vm.other", 1, "why not"),
                Asked::compact_node(1, "why not"),
            ];
            for request in &requests {
                let is_refused = out.request(request).is_err();
                out.metric("is_refused", f64::from(u8::from(is_refused)));
            }
        }
        Ok(())
    }
}

#[test]
fn options_that_are_not_set_have_their_defaults() {
    let told = |options: &[(&str, Value)]| {
        Rig::create::<Actor>(options)
            .unwrap()
            .scan(&Machine::new())
            .status
    };

    assert_eq!(told(&[]), "nothing 1.5 3 true");
    assert_eq!(
        told(&[
            ("share-percent", 2.into()),
            ("count", 10_i64.into()),
            ("switch", false.into()),
            ("deed", "rest".into())
        ]),
        "rest 2.0 10 false"
    );
}

#[test]
fn what_the_core_would_not_accept_is_refused_all_at_once() {
    let options = [
        ("share-percent", Value::from(100.5)),
        ("share-percent", f64::NAN.into()),
        ("count", 1.5.into()),
        ("count", 0.into()),
        ("switch", 1.into()),
        ("deed", true.into()),
        ("counts", 5.into()),
    ];

    let refusal = Rig::create::<Actor>(&options).unwrap_err();

    assert!(matches!(refusal, Refusal::Core(_)), "{refusal:?}");
    assert_eq!(
        refusal.to_string(),
        "share-percent: expected a number from 0 to 100, found 100.5; \
         share-percent: expected a number from 0 to 100, found NaN; \
         count: expected a whole number from 1 to 10, found 1.5; \
         count: expected a whole number from 1 to 10, found 0; \
         switch: expected true or false, found 1; \
         deed: expected a string, found true; \
         counts: the module declares no such option"
    );
}

#[test]
fn what_the_module_does_not_accept_is_its_own_refusal() {
    let refused = Rig::create::<Actor>(&[("deed", "refuse".into())]).unwrap_err();
    let panicked = Rig::create::<Actor>(&[("deed", "panic-in-create".into())]).unwrap_err();

    assert!(matches!(refused, Refusal::Module(_)), "{refused:?}");
    assert_eq!(refused.to_string(), "deed: is nothing that one does");
    assert!(matches!(panicked, Refusal::Panicked(_)), "{panicked:?}");
    assert!(panicked.to_string().ends_with("as told"), "{panicked}");
}

#[test]
fn a_request_for_what_was_not_declared_is_denied() {
    let words = Rig::create::<Actor>(&[("deed", "ask".into())])
        .unwrap()
        .scan(&Machine::new());

    let set = |tunable: &str, value| Action::Set {
        tunable: tunable.to_owned(),
        value,
    };
    let request = |action, details: &str, numbers: &[(String, f64)], refused| Request {
        action,
        reason: "why not".to_owned(),
        details: details.to_owned(),
        numbers: numbers.to_vec(),
        refused,
    };
    assert_eq!(
        words.requests,
        [
            request(
                set("vm.swappiness", 10),
                "20 is too much\n5 too little",
                &[("free_bytes".to_owned(), 1.0)],
                None
            ),
            request(set("vm.other", 1), "", &[], Some(Refused::Denied)),
            request(
                Action::CompactNode { node: 1 },
                "",
                &[],
                Some(Refused::Denied)
            ),
        ]
    );
    assert_eq!(words.metric("is_refused"), Some(1.0));
}

#[test]
fn a_panic_is_the_verdict_and_the_module_is_not_called_again() {
    let mut rig = Rig::create::<Actor>(&[("deed", "panic-in-scan".into())]).unwrap();

    let words = rig.scan(&Machine::new());
    let again = rig.scan(&Machine::new());

    let Verdict::Panicked(message) = &words.verdict else {
        panic!("{words:?}")
    };
    assert!(
        message.contains("tests.rs:") && message.ends_with("as told"),
        "{message}"
    );
    assert_eq!(words.status, "");
    assert_eq!(again, words);
}

/// Says which numbers of its zones are not there.
struct Missing;

impl Module for Missing {
    const INFO: Info = Info {
        needs: &[Need::ZONEINFO],
        ..Info::new("missing", "1.0.0", "Says what is not there")
    };

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        for zone in snapshot.zones()? {
            out.status(&format!(
                "{:?} {:?} {:?}",
                zone.cma, zone.per_cpu, zone.boost
            ));
        }
        Ok(())
    }
}

#[test]
fn a_number_that_the_kernel_does_not_print_is_none_and_zero_is_zero() {
    let zone = Zone {
        cma: None,
        per_cpu: None,
        ..Zone::new(0, "Normal")
    };

    let words = Rig::create::<Missing>(&[])
        .unwrap()
        .scan(&Machine::new().zone(zone));

    assert_eq!(words.status, "None None Some(Pages(0))");
}

/// Opens an incident, and ends it in the next scan.
struct Teller;

impl Module for Teller {
    const INFO: Info = Info::new("teller", "1.0.0", "Has an incident");

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let finding = crate::Finding::new(Severity::Warning, "pool", "The pool");
        out.finding(&match snapshot.scan() {
            1 => finding.leak().incident("pool-1"),
            _ => finding.end_of_incident("pool-1"),
        });
        Ok(())
    }
}

#[test]
fn a_finding_says_what_it_is_about_and_what_it_does_to_its_incident() {
    let mut rig = Rig::create::<Teller>(&[]).unwrap();

    let findings = [(); 2].map(|()| rig.scan(&Machine::new()).findings.remove(0));

    let said = findings.map(|finding| (finding.incident, finding.is_leak, finding.ends_incident));
    assert_eq!(
        said,
        [
            ("pool-1".to_owned(), true, false),
            ("pool-1".to_owned(), false, true)
        ]
    );
}
