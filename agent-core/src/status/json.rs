//! The events of a scan, as JSON for programs. The names are stable.

use adaptivemm_module_api::abi;
use serde_json::{Map, Value, json};

use crate::decisions::Record;
use crate::modules::output::numbers::numbers;
use crate::modules::output::{Action, Finding, Request};
use crate::modules::pool::ModuleHandle;
use crate::scan::Round;

/// One object per finding, request, action and set of metrics, in the order of the modules. Findings are
/// chosen by verbosity, as for the log.
#[must_use]
pub fn round(t_ms: u64, round: &Round<'_>, verbosity: u8) -> Vec<Value> {
    let mut events = Vec::new();
    for handle in round.handles {
        let start = |kind: &str| start(t_ms, handle.name(), kind);
        for finding in handle
            .output()
            .findings
            .iter()
            .filter(|finding| finding.verbosity <= verbosity)
        {
            events.push(with(start("finding"), finding_fields(finding)));
        }
        for request in &handle.output().requests {
            events.push(with(start("request"), request_fields(request)));
        }
        for settled in round
            .outcomes
            .iter()
            .filter(|settled| settled.module == handle.name())
        {
            let mut event = start("action");
            event.insert("code".to_owned(), settled.outcome.code().into());
            event.insert("severity".to_owned(), "notice".into());
            event.insert(
                "text".to_owned(),
                format!("{}: {}", settled.request.action, settled.outcome).into(),
            );
            event.extend(action_fields(&settled.request.action));
            if let Some(id) = settled.decision {
                event.insert("decision".to_owned(), id.into());
            }
            events.push(event.into());
        }
        events.extend(metrics_event(t_ms, handle));
    }
    events.extend(follow_ups(t_ms, &round.records));
    events
}

/// One object for everything that happened after a decision.
#[must_use]
pub fn follow_ups(t_ms: u64, records: &[Record]) -> Vec<Value> {
    let event = |record: &Record| {
        let Record::FollowUp(follow_up) = record else {
            return None;
        };
        let fields = json!({
            "code": follow_up.effect.code(),
            "severity": "info",
            "text": follow_up.text,
            "decision": follow_up.id,
            "before": follow_up.before,
            "after": follow_up.after,
        });
        let event = start(t_ms, &follow_up.module, "aftermath");
        Some(with(event, fields_of(fields)))
    };
    records.iter().filter_map(event).collect()
}

fn metrics_event(t_ms: u64, handle: &ModuleHandle) -> Option<Value> {
    let output = handle.output();
    if output.metrics().is_empty() {
        return None;
    }
    let mut event = start(t_ms, handle.name(), "metric");
    event.insert("code".to_owned(), "metrics".into());
    event.insert("severity".to_owned(), "debug".into());
    event.insert("text".to_owned(), output.status.as_str().into());
    Some(with(event, numbers(output.metrics())))
}

/// A module's output in one scan: metrics, findings, requests.
pub(crate) fn module_output(handle: &ModuleHandle) -> Value {
    let output = handle.output();
    let findings: Vec<Value> = output
        .findings
        .iter()
        .map(|finding| finding_fields(finding).into())
        .collect();
    let requests: Vec<Value> = output
        .requests
        .iter()
        .map(|request| request_fields(request).into())
        .collect();
    let problems: Vec<&str> = output
        .problems
        .iter()
        .map(|(_, text)| text.as_str())
        .collect();
    json!({
        "metrics": numbers(output.metrics()),
        "status": output.status,
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
