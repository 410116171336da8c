//! What happened in a scan, as JSON for programs. The names are interface.

use adaptivemm_module_api::abi;
use serde_json::{Map, Value, json};

use crate::decisions::Record;
use crate::modules::output::numbers::numbers;
use crate::modules::output::{Action, Finding, Request};
use crate::modules::pool::Member;
use crate::scan::Round;

/// One object per finding, request, action and set of metrics, in the order of the modules. Findings are
/// chosen by verbosity, as for the log.
#[must_use]
pub fn of_round(t_ms: u64, round: &Round<'_>, verbosity: u8) -> Vec<Value> {
    let mut events = Vec::new();
    for member in round.members {
        let start = |kind: &str| start(t_ms, member.name(), kind);
        for finding in member
            .words()
            .findings
            .iter()
            .filter(|finding| finding.verbosity <= verbosity)
        {
            events.push(with(start("finding"), finding_fields(finding)));
        }
        for request in &member.words().requests {
            events.push(with(start("request"), request_fields(request)));
        }
        for deed in round
            .deeds
            .iter()
            .filter(|deed| deed.module == member.name())
        {
            let mut event = start("action");
            event.insert("code".to_owned(), deed.fate.code().into());
            event.insert("severity".to_owned(), "notice".into());
            event.insert(
                "text".to_owned(),
                format!("{}: {}", deed.request.action, deed.fate).into(),
            );
            event.extend(action_fields(&deed.request.action));
            if let Some(id) = deed.decision {
                event.insert("decision".to_owned(), id.into());
            }
            events.push(event.into());
        }
        events.extend(metrics_event(t_ms, member));
    }
    events.extend(of_aftermaths(t_ms, &round.records));
    events
}

/// One object for everything that happened after a decision.
#[must_use]
pub fn of_aftermaths(t_ms: u64, records: &[Record]) -> Vec<Value> {
    let event = |record: &Record| {
        let Record::Aftermath(aftermath) = record else {
            return None;
        };
        let fields = json!({
            "code": aftermath.effect.code(),
            "severity": "info",
            "text": aftermath.text,
            "decision": aftermath.id,
            "before": aftermath.before,
            "after": aftermath.after,
        });
        let event = start(t_ms, &aftermath.module, "aftermath");
        Some(with(event, fields_of(fields)))
    };
    records.iter().filter_map(event).collect()
}

fn metrics_event(t_ms: u64, member: &Member) -> Option<Value> {
    let words = member.words();
    if words.metrics().is_empty() {
        return None;
    }
    let mut event = start(t_ms, member.name(), "metric");
    event.insert("code".to_owned(), "metrics".into());
    event.insert("severity".to_owned(), "debug".into());
    event.insert("text".to_owned(), words.status.as_str().into());
    Some(with(event, numbers(words.metrics())))
}

/// A module's words in one scan: metrics, findings, requests.
pub(crate) fn of_member(member: &Member) -> Value {
    let words = member.words();
    let findings: Vec<Value> = words
        .findings
        .iter()
        .map(|finding| finding_fields(finding).into())
        .collect();
    let requests: Vec<Value> = words
        .requests
        .iter()
        .map(|request| request_fields(request).into())
        .collect();
    let problems: Vec<&str> = words
        .problems
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    json!({
        "metrics": numbers(words.metrics()),
        "status": words.status,
        "findings": findings,
        "requests": requests,
        "problems": problems,
    })
}

fn start(t_ms: u64, module: &str, kind: &str) -> Map<String, Value> {
    let fields = [
        ("t_ms", t_ms.into()),
        ("module", module.into()),
        ("kind", kind.into()),
    ];
    fields
        .map(|(name, value): (&str, Value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn finding_fields(finding: &Finding) -> Map<String, Value> {
    let details: Vec<&str> = finding.details.lines().collect();
    let object = json!({
        "code": finding.code,
        "severity": finding.severity.name(),
        "text": finding.text,
    });
    let mut fields = fields_of(object);
    add(&mut fields, numbers(&finding.numbers));
    if !details.is_empty() {
        fields.insert("details".to_owned(), details.into());
    }
    if !finding.incident.is_empty() {
        fields.insert("incident".to_owned(), finding.incident.as_str().into());
    }
    fields
}

fn request_fields(request: &Request) -> Map<String, Value> {
    let code = match &request.action {
        Action::Set { .. } => "set-tunable",
        Action::CompactNode { .. } => abi::ACTION_COMPACT_NODE,
    };
    let mut fields =
        fields_of(json!({ "code": code, "severity": "notice", "text": request.reason }));
    add(&mut fields, action_fields(&request.action));
    add(&mut fields, numbers(&request.numbers));
    if !request.details.is_empty() {
        let details: Vec<&str> = request.details.lines().collect();
        fields.insert("details".to_owned(), details.into());
    }
    fields
}

fn action_fields(action: &Action) -> Map<String, Value> {
    fields_of(match action {
        Action::Set { tunable, value } => json!({ "tunable": tunable, "value": value }),
        Action::CompactNode { node } => json!({ "node": node }),
    })
}

fn with(mut start: Map<String, Value>, fields: Map<String, Value>) -> Value {
    add(&mut start, fields);
    start.into()
}

/// Adds fields; those that a module named like one of ours do not replace it.
fn add(to: &mut Map<String, Value>, fields: Map<String, Value>) {
    for (name, value) in fields {
        to.entry(name).or_insert(value);
    }
}

fn fields_of(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
