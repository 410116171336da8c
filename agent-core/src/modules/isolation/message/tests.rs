use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::modules::output::MAX_NUMBERS;

const WSF: &str = "vm.watermark_scale_factor";

fn permit() -> Permit {
    Permit::new(&[WSF.to_owned(), "compact-node".to_owned()], None)
}

fn number(name: &str, value: f64) -> Number {
    Number {
        name: name.to_owned(),
        value,
    }
}

fn finding(text: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        verbosity: 3,
        code: "seen".to_owned(),
        text: text.to_owned(),
        details: "one\ntwo".to_owned(),
        numbers: vec![number("free_bytes", 1.5), number("odd", f64::INFINITY)],
        incident: "growth-60".to_owned(),
        ends_incident: false,
        is_leak: true,
    }
}

fn request(action: Action) -> Request {
    Request {
        action,
        reason: "because".to_owned(),
        details: "this\nand that".to_owned(),
        numbers: vec![number("share_percent", -0.5)],
    }
}

fn set(tunable: &str, value: i64) -> Action {
    Action::Set {
        tunable: tunable.to_owned(),
        value,
    }
}

#[derive(Default)]
struct Said {
    findings: Vec<Finding>,
    requests: Vec<Request>,
    status: String,
    problems: Vec<(String, String)>,
    dropped: usize,
    strays: usize,
    refused: Vec<(String, String)>,
}

impl Said {
    fn output(self) -> ModuleOutput {
        let mut output = ModuleOutput::default();
        output.findings = self.findings;
        output.requests = self.requests;
        output.status = self.status;
        output.problems = self.problems;
        output.dropped = self.dropped;
        output.strays = self.strays;
        output.refused = self.refused;
        output
    }
}

/// Returns what the daemon makes of an output.
fn carried(verdict: CallResult, output: &ModuleOutput) -> io::Result<(CallResult, ModuleOutput)> {
    let bytes = postcard::to_stdvec(&Told::from_output(7, verdict, output)).unwrap();
    let mut taken = ModuleOutput::default();
    let verdict = answer_from_bytes(&bytes, &permit(), &mut taken)?;
    Ok((verdict, taken))
}

/// Renders an output as text, in which what is not a number equals itself. Buffers without content do not count.
fn all(output: &ModuleOutput) -> String {
    let ModuleOutput {
        findings,
        requests,
        status,
        problems,
        dropped,
        strays,
        refused,
        unpublished,
        ..
    } = output;
    let (metrics, kept) = (output.metrics(), output.kept());
    format!(
        "{findings:?} {requests:?} {metrics:?} {status:?} {problems:?} {dropped} {strays} {refused:?} {unpublished:?} {kept:?}"
    )
}

#[test]
fn every_kind_of_words_arrives_as_it_was_said() {
    let mut output = Said {
        findings: vec![finding("first"), finding("second")],
        requests: vec![
            request(set(WSF, 20)),
            request(Action::CompactNode { node: 3 }),
        ],
        status: "all is well".to_owned(),
        problems: vec![("key".to_owned(), "a problem".to_owned())],
        dropped: 5,
        strays: 6,
        refused: vec![("vm.swappiness = 1".to_owned(), "not declared".to_owned())],
    }
    .output();
    output.add_metric(b"total_bytes", f64::NAN);
    output.add_metric(b"no name", 1.0);
    assert!(output.keep(&[0, 255, 10]));

    for verdict in [CallResult::Good, CallResult::Failed, CallResult::Panicked] {
        let (taken_verdict, taken) = carried(verdict, &output).unwrap();

        assert_eq!((taken_verdict, all(&taken)), (verdict, all(&output)));
    }
}

#[test]
fn a_request_that_was_refused_is_nonsense_and_is_not_taken() {
    let forged = [
        set("kernel.core_pattern", 1),
        set("vm.watermark_scale_factor\n", 20),
        set(WSF, -1),
        set(WSF, i64::MAX),
    ];
    for action in forged {
        let output = Said {
            requests: vec![request(action)],
            ..Said::default()
        }
        .output();
        let bytes = postcard::to_stdvec(&Told::from_output(7, CallResult::Good, &output)).unwrap();
        let mut taken = ModuleOutput::default();

        let error = answer_from_bytes(&bytes, &permit(), &mut taken).unwrap_err();

        assert!(
            error
                .to_string()
                .starts_with("a request that was refused: ")
        );
        assert_eq!(taken.requests, []);
    }
}

#[test]
fn more_words_than_a_module_may_say_are_nonsense() {
    let too_many = [
        Said {
            findings: vec![finding(""); MAX_WORDS + 1],
            ..Said::default()
        }
        .output(),
        Said {
            requests: vec![request(set(WSF, 20)); MAX_WORDS + 1],
            ..Said::default()
        }
        .output(),
        Said {
            problems: vec![(String::new(), String::new()); MAX_NUMBERS + 1],
            ..Said::default()
        }
        .output(),
        Said {
            refused: vec![(String::new(), String::new()); MAX_WORDS + 1],
            ..Said::default()
        }
        .output(),
    ];
    for output in too_many {
        let error = carried(CallResult::Good, &output).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

#[test]
fn words_of_a_process_are_cleaned_as_those_of_a_module_are() {
    let output = Said {
        findings: vec![finding("a\u{1b}[2J\nb\u{202e}")],
        status: "x".repeat(MAX_LINE + 1),
        problems: vec![("k\0".to_owned(), "\r".to_owned())],
        requests: vec![Request {
            details: "c\u{9b}d\ne\r".to_owned(),
            ..request(set(WSF, 20))
        }],
        ..Said::default()
    }
    .output();

    let (_, taken) = carried(CallResult::Good, &output).unwrap();

    assert_eq!(
        (
            taken.findings[0].text.as_str(),
            taken.requests[0].details.as_str(),
            taken.status.len(),
            &taken.problems
        ),
        (
            "a [2J b ",
            "c d\ne ",
            MAX_LINE,
            &vec![("k ".to_owned(), " ".to_owned())]
        )
    );
}

#[test]
fn an_unknown_verdict_is_nonsense() {
    let output = ModuleOutput::default();
    let told = Told {
        verdict: 3,
        ..Told::from_output(1, CallResult::Good, &output)
    };
    let bytes = postcard::to_stdvec(&told).unwrap();

    let error = answer_from_bytes(&bytes, &permit(), &mut ModuleOutput::default()).unwrap_err();

    assert_eq!(error.to_string(), "an unknown verdict");
}

fn name() -> impl Strategy<Value = String> {
    "\\PC{0,80}".prop_map(|text| clean_text::name(text.as_bytes()))
}

fn line() -> impl Strategy<Value = String> {
    "\\PC{0,200}".prop_map(|text| clean_text::line(text.as_bytes()))
}

fn details() -> impl Strategy<Value = String> {
    "(\\PC{0,30}\n){0,5}".prop_map(|text| clean_text::details(text.as_bytes()))
}

fn numbers() -> impl Strategy<Value = Vec<Number>> {
    vec(
        (name(), any::<f64>()).prop_map(|(name, value)| Number { name, value }),
        0..4,
    )
}

fn any_finding() -> impl Strategy<Value = Finding> {
    (
        3..8_u32,
        0..6_u8,
        name(),
        line(),
        details(),
        numbers(),
        (name(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(severity, verbosity, code, text, details, numbers, incident)| Finding {
                severity: Severity::from_number(severity),
                verbosity,
                code,
                text,
                details,
                numbers,
                incident: incident.0,
                ends_incident: incident.1,
                is_leak: incident.2,
            },
        )
}

fn any_request() -> impl Strategy<Value = Request> {
    let action = prop_oneof![
        (1..1000_i64).prop_map(|value| set(WSF, value)),
        any::<u32>().prop_map(|node| Action::CompactNode { node }),
    ];
    (action, line(), details(), numbers()).prop_map(|(action, reason, details, numbers)| Request {
        action,
        reason,
        details,
        numbers,
    })
}

proptest! {
    #[test]
    fn words_that_are_clean_and_allowed_arrive_as_they_were_said(
        findings in vec(any_finding(), 0..5),
        requests in vec(any_request(), 0..5),
        metrics in numbers(),
        status in line(),
        problems in vec((name(), line()), 0..3),
        (dropped, strays) in (any::<u16>(), any::<u16>()),
        refused in vec((line(), line()), 0..3),
    ) {
        let mut output = Said {
            findings,
            requests,
            status,
            problems,
            dropped: dropped.into(),
            strays: strays.into(),
            refused,
        }
        .output();
        for Number { name, value } in metrics {
            output.add_metric(name.as_bytes(), value);
        }

        let (_, taken) = carried(CallResult::Good, &output).unwrap();

        prop_assert_eq!(all(&taken), all(&output));
    }
}
