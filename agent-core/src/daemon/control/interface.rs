//! The methods of the control interface, and the errors of Varlink.

use serde::Deserialize;
use serde_json::{Value, json};

use super::question::Question;
use super::{Answer, Order};
use crate::base::version::version;

/// The name of our interface.
pub const INTERFACE: &str = "io.adaptivemmd.Control";
/// The interface as Varlink describes it.
pub const DESCRIPTION: &str = include_str!("io.adaptivemmd.Control.varlink");

/// A message of a client.
#[derive(Debug, Deserialize)]
pub(super) struct ControlRequest {
    method: String,
    #[serde(default)]
    parameters: Value,
    #[serde(default)]
    pub(super) oneway: bool,
}

/// The reaction to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Reaction {
    /// Answer this.
    Reply(Value),
    /// Answer this question from the status.
    Ask(Question),
    /// Have the core do it.
    Order(Order),
}

impl ControlRequest {
    /// Parses the bytes of a message, without the zero at its end. `None` for what is no Varlink.
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        serde_json::from_slice(message).ok()
    }

    /// Returns the reaction to it; `may_change` is true if this client may change something.
    pub(super) fn reaction(&self, may_change: bool) -> Reaction {
        let method = self.method.as_str();
        let tunable = || match &self.parameters["tunable"] {
            Value::Null => Ok(None),
            Value::String(tunable) => Ok(Some(tunable.clone())),
            _ => Err(invalid("tunable")),
        };
        let order = match method {
            "org.varlink.service.GetInfo" => return Reaction::Reply(info()),
            "org.varlink.service.GetInterfaceDescription" => {
                return Reaction::Reply(self.description());
            }
            "io.adaptivemmd.Control.Status" => return Reaction::Ask(Question::Status),
            "io.adaptivemmd.Control.Modules" => return Reaction::Ask(Question::Modules),
            "io.adaptivemmd.Control.Incidents" => return Reaction::Ask(Question::Incidents),
            "io.adaptivemmd.Control.Metrics" => return Reaction::Ask(Question::Metrics),
            "io.adaptivemmd.Control.Decisions" => {
                return match &self.parameters["most"] {
                    Value::Null => Reaction::Ask(Question::Decisions(None)),
                    most => most.as_u64().map_or_else(
                        || Reaction::Reply(invalid("most")),
                        |most| Reaction::Ask(Question::Decisions(Some(most))),
                    ),
                };
            }
            "io.adaptivemmd.Control.Reload" => Ok(Order::Reload),
            "io.adaptivemmd.Control.Resume" => tunable().map(Order::Resume),
            "io.adaptivemmd.Control.Restore" => tunable().map(Order::Restore),
            _ => {
                let method = json!({ "method": method });
                return Reaction::Reply(error("org.varlink.service.MethodNotFound", method));
            }
        };
        match order {
            Err(invalid) => Reaction::Reply(invalid),
            Ok(order) if may_change => Reaction::Order(order),
            Ok(_) => Reaction::Reply(error("org.varlink.service.PermissionDenied", json!({}))),
        }
    }

    fn description(&self) -> Value {
        let interface = &self.parameters["interface"];
        if interface == INTERFACE {
            done(json!({ "description": DESCRIPTION }))
        } else {
            error(
                "org.varlink.service.InterfaceNotFound",
                json!({ "interface": interface }),
            )
        }
    }
}

fn info() -> Value {
    done(json!({
        "vendor": "adaptivemm",
        "product": "adaptivemmd",
        "version": version(),
        "url": env!("CARGO_PKG_REPOSITORY"),
        "interfaces": ["org.varlink.service", INTERFACE],
    }))
}

fn invalid(parameter: &str) -> Value {
    error(
        "org.varlink.service.InvalidParameter",
        json!({ "parameter": parameter }),
    )
}

/// The reply to an order.
pub(super) fn reply(answer: Answer) -> Value {
    match answer {
        Answer::Seen(summary) => done(Question::Status.answer(&summary)),
        Answer::Done(parameters) => done(parameters),
        Answer::Failed(name, parameters) => error(&format!("{INTERFACE}.{name}"), parameters),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it becomes part of the reply"
)]
pub(super) fn done(parameters: Value) -> Value {
    json!({ "parameters": parameters })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it becomes part of the reply"
)]
fn error(name: &str, parameters: Value) -> Value {
    json!({ "error": name, "parameters": parameters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaction(text: &str, may_change: bool) -> Reaction {
        ControlRequest::parse(text.as_bytes())
            .unwrap()
            .reaction(may_change)
    }

    #[test]
    fn only_who_may_change_something_gives_orders() {
        let resume =
            r#"{"method": "io.adaptivemmd.Control.Resume", "parameters": {"tunable": "vm.x"}}"#;
        let all = r#"{"method": "io.adaptivemmd.Control.Resume"}"#;

        assert_eq!(
            reaction(resume, true),
            Reaction::Order(Order::Resume(Some("vm.x".to_owned())))
        );
        assert_eq!(reaction(all, true), Reaction::Order(Order::Resume(None)));
        let denied = json!({"error": "org.varlink.service.PermissionDenied", "parameters": {}});
        assert_eq!(reaction(resume, false), Reaction::Reply(denied));
    }

    #[test]
    fn everybody_may_ask() {
        for (method, question) in [
            ("Status", Question::Status),
            ("Modules", Question::Modules),
            ("Decisions", Question::Decisions(None)),
            ("Incidents", Question::Incidents),
            ("Metrics", Question::Metrics),
        ] {
            let call = format!("{{\"method\": \"{INTERFACE}.{method}\"}}");
            assert_eq!(reaction(&call, false), Reaction::Ask(question));
        }
    }

    #[test]
    fn what_is_unknown_gets_the_error_that_varlink_has_for_it() {
        let name = |text: &str| match reaction(text, true) {
            Reaction::Reply(reply) => reply["error"].as_str().unwrap_or_default().to_owned(),
            other => panic!("{other:?}"),
        };

        assert_eq!(
            name(r#"{"method": "io.adaptivemmd.Control.Explode"}"#),
            "org.varlink.service.MethodNotFound"
        );
        assert_eq!(
            name(r#"{"method": "io.adaptivemmd.Control.Resume", "parameters": {"tunable": 5}}"#),
            "org.varlink.service.InvalidParameter"
        );
        assert_eq!(
            name(
                r#"{"method": "org.varlink.service.GetInterfaceDescription", "parameters": {"interface": "a.b"}}"#
            ),
            "org.varlink.service.InterfaceNotFound"
        );
        assert_eq!(
            name(r#"{"method": "io.adaptivemmd.Control.Decisions", "parameters": {"most": -1}}"#),
            "org.varlink.service.InvalidParameter"
        );
        assert!(ControlRequest::parse(b"{\"method\": 5}").is_none());
    }

    #[test]
    fn everything_that_is_described_can_be_called() {
        let methods = DESCRIPTION
            .lines()
            .filter_map(|line| line.strip_prefix("method "));
        let names: Vec<&str> = methods.filter_map(|line| line.split('(').next()).collect();

        assert!(names.len() >= 7, "{names:?}");
        for name in names {
            let call = format!("{{\"method\": \"{INTERFACE}.{name}\"}}");
            let reaction = reaction(&call, true);
            assert!(!matches!(reaction, Reaction::Reply(_)), "{reaction:?}");
        }
    }
}
