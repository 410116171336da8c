//! Modules that behave, and modules that do not. All are off unless a test switches them on.

use std::sync::{Condvar, Mutex};

use adaptivemm_module_api::{
    Action, Config, ConfigProblems, Finding, Info, Module, Need, Number, Opt, Out, Request,
    ScanError, Severity, Snapshot, Tunable, register,
};

/// A door that modules wait at. Each test that needs one has its own.
pub(crate) struct Gate(Mutex<bool>, Condvar);

pub(crate) static GATES: [Gate; 8] = [const { Gate(Mutex::new(false), Condvar::new()) }; 8];

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let is_shut = |is_open: &mut bool| !*is_open;
        let _passed = self.1.wait_while(self.0.lock().unwrap(), is_shut).unwrap();
    }
}

const fn info(name: &'static str) -> Info {
    Info {
        enabled: false,
        ..Info::new(name, "1", "Is tested")
    }
}

const FROM: Opt<i64> = Opt::integer("from-scan", 1, 1, 100, "The first scan that goes wrong");
const SCANS: Opt<i64> = Opt::integer("scans", 1, 1, 100, "How many scans go wrong");
const GATE: Opt<i64> = Opt::integer("gate", 0, 0, 7, "The door to wait at");

/// Which scans go wrong.
struct Bad {
    from: u64,
    scans: u64,
}

impl Bad {
    fn of(config: &Config<'_>) -> Self {
        Self {
            from: config.integer(&FROM).unsigned_abs(),
            scans: config.integer(&SCANS).unsigned_abs(),
        }
    }

    fn is_now(&self, snapshot: &Snapshot<'_>) -> bool {
        (self.from..self.from + self.scans).contains(&snapshot.scan())
    }
}

/// Says how often it was called, and which scan it sees.
struct Good {
    calls: u64,
    tag: i64,
}

const TAG: Opt<i64> = Opt::integer("tag", 0, 0, 100, "Something to change");

impl Module for Good {
    const INFO: Info = Info {
        options: &[&TAG],
        ..info("good")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self {
            calls: 0,
            tag: config.integer(&TAG),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        self.calls += 1;
        let Self { calls, tag } = self;
        let text = format!("call {calls}, scan {}, tag {tag}", snapshot.scan());
        out.finding(&Finding::new(Severity::Notice, "seen", &text));
        Ok(())
    }
}

/// Waits at its gate in some scans; afterwards it does as `then` says.
struct Waiting {
    bad: Bad,
    gate: &'static Gate,
    then: String,
}

const THEN: Opt<&str> = Opt::text("then", "speak", "speak, warn or panic");

impl Module for Waiting {
    const INFO: Info = Info {
        options: &[&FROM, &SCANS, &GATE, &THEN],
        ..info("waiting")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let gate = usize::try_from(config.integer(&GATE)).unwrap_or_default();
        Ok(Self {
            bad: Bad::of(config),
            gate: &GATES[gate],
            then: config.text(&THEN).to_owned(),
        })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let is_bad = self.bad.is_now(snapshot);
        if is_bad {
            self.gate.pass();
        }
        let text = format!("seen in scan {}", snapshot.scan());
        let severity = if is_bad && self.then == "warn" {
            Severity::Warning
        } else {
            Severity::Notice
        };
        out.finding(&Finding::new(severity, "seen", &text));
        assert!(!(is_bad && self.then == "panic"), "after the wait");
        Ok(())
    }
}

/// Opens the gate that another module waits at: that one answers after this one.
struct Opening(&'static Gate);

impl Module for Opening {
    const INFO: Info = Info {
        options: &[&GATE],
        ..info("zealous")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let gate = usize::try_from(config.integer(&GATE)).unwrap_or_default();
        Ok(Self(&GATES[gate]))
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let text = format!("seen in scan {}", snapshot.scan());
        out.finding(&Finding::new(Severity::Notice, "seen", &text));
        self.0.open();
        Ok(())
    }
}

/// Breaks down.
struct Panicking {
    bad: Bad,
    payload: String,
}

const PAYLOAD: Opt<&str> = Opt::text("payload", "str", "str, string or other");
/// Where it does so.
pub(crate) const PANIC_LINES: [u32; 3] = [line!() + 21, line!() + 22, line!() + 23];

impl Module for Panicking {
    const INFO: Info = Info {
        options: &[&FROM, &SCANS, &PAYLOAD],
        ..info("panicking")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        let (bad, payload) = (Bad::of(config), config.text(&PAYLOAD).to_owned());
        Ok(Self { bad, payload })
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        out.finding(&Finding::new(
            Severity::Warning,
            "seen",
            "a half-baked word",
        ));
        match self.payload.as_str() {
            _ if !self.bad.is_now(snapshot) => Ok(()),
            "str" => panic!("a text"),
            "string" => panic!("a string: \x1b[2J\n{}", snapshot.scan()),
            _ => std::panic::panic_any(7),
        }
    }
}

/// Cannot do its work for some scans.
struct Failing(Bad);

impl Module for Failing {
    const INFO: Info = Info {
        options: &[&FROM, &SCANS],
        ..info("failing")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self(Bad::of(config)))
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, _: &mut Out<'_>) -> Result<(), ScanError> {
        if self.0.is_now(snapshot) {
            Err(ScanError::new("there is no /proc/example"))
        } else {
            Ok(())
        }
    }
}

/// Says far too much, of everything.
struct Flooding;

impl Module for Flooding {
    const INFO: Info = info("flooding");

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, _: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let long = "\x1b[2J\u{202e}x\r\n<0>sshd: forged\0".repeat(40_000);
        let numbers = vec![Number::new(&long, f64::NAN); 1000];
        let finding = Finding::new(Severity::Warning, &long, &long)
            .details(&long)
            .numbers(&numbers);
        out.finding(&finding);
        for number in 1..10_000 {
            let text = format!("word {number}\n");
            out.finding(&Finding::new(Severity::Info, "word", &text));
            out.metric(&text, 1.0);
        }
        out.status(&long);
        Ok(())
    }
}

const WSF: &str = "vm.watermark_scale_factor";
const VALUE: Opt<i64> = Opt::integer("value", 20, 0, 1 << 20, "What to ask for");

/// Asks for what it declared, then for what it did not, and says what it was answered.
struct Asking(i64);

impl Module for Asking {
    const INFO: Info = Info {
        needs: &[Need::file("/proc/sys/vm/swappiness")],
        writes: &[Action::set(WSF)],
        options: &[&VALUE],
        ..info("asking")
    };

    fn create(config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self(config.integer(&VALUE)))
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let answers = [
            out.request(&Request::set(WSF, self.0, "free memory falls by 3 MiB/s")),
            out.request(&Request::set("vm.swappiness", 1, "undeclared")),
            out.request(&Request::compact_node(0, "undeclared")),
        ];
        let value = snapshot.tunable(WSF).map_or_else(
            |_| String::new(),
            |tunable| {
                let Tunable {
                    value,
                    original,
                    is_yielded,
                    ..
                } = tunable;
                let owner = if is_yielded { "somebody else's " } else { "" };
                format!("{owner}{value} (once {original})")
            },
        );
        let text = format!("{value} {answers:?}");
        out.finding(&Finding::new(Severity::Info, "answers", &text));
        Ok(())
    }
}

/// Wants the same as the one above.
struct Rival;

impl Module for Rival {
    const INFO: Info = Info {
        writes: &[Action::set(WSF)],
        ..info("rival")
    };

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, _: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let answer = out.request(&Request::set(WSF, 30, "the same"));
        out.finding(&Finding::new(
            Severity::Info,
            "answer",
            &format!("{answer:?}"),
        ));
        Ok(())
    }
}

/// Asks once, and breaks down in the next scan.
struct Doomed;

impl Module for Doomed {
    const INFO: Info = Info {
        writes: &[Action::set(WSF)],
        ..info("doomed")
    };

    fn create(_: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        assert!(snapshot.scan() == 1, "one scan is enough");
        let _answer = out.request(&Request::set(WSF, 25, "for ever"));
        Ok(())
    }
}

register!(Good);
register!(Doomed);
register!(Waiting);
register!(Opening);
register!(Panicking);
register!(Failing);
register!(Flooding);
register!(Asking);
register!(Rival);
