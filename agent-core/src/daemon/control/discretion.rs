//! Leaves out of an answer for users who are neither root nor in our group whose memory it is. What a daemon keeps of
//! incidents only root can read, and the socket must not tell it to everybody.

use crate::base::secrets::discreet;
use crate::config::TellOwners;
use crate::status::Summary;

/// Returns the summary as other users may see it.
pub(super) fn for_others(summary: &Summary, tell: TellOwners) -> Summary {
    let mut view = summary.clone();
    if tell == TellOwners::All {
        return view;
    }
    for (incident, kept) in view.incidents.iter_mut().zip(&summary.incidents) {
        incident.text = match tell {
            TellOwners::Program => kept.for_others.program.clone(),
            TellOwners::None | TellOwners::All => kept.for_others.nameless.clone(),
        };
    }
    for message in &mut view.messages {
        message.text = discreet(without_explanation(&message.text));
    }
    for module in &mut view.modules {
        for text in [&mut module.status, &mut module.why].into_iter().flatten() {
            *text = discreet(text);
        }
    }
    for decision in &mut view.decisions {
        let texts = [&mut decision.reason, &mut decision.outcome_text];
        for text in texts.into_iter().chain(&mut decision.effect_text) {
            *text = discreet(text);
        }
    }
    view
}

/// A message about an incident, which ends with who it was, without that.
fn without_explanation(text: &str) -> &str {
    let is_of_incident = text.starts_with("incident ");
    let Some(start) = text
        .find(" cannot be written to ")
        .filter(|_| is_of_incident)
    else {
        return text;
    };
    let end = text[start..]
        .find("; ")
        .map_or(text.len(), |end| start + end);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_an_incident_does_not_say_who_it_was() {
        let lost = "incident 7 cannot be written to /var/lib/x: No space; pipes of secretprog (7 pipes, PID 12) explains 9 %";

        assert_eq!(
            without_explanation(lost),
            "incident 7 cannot be written to /var/lib/x: No space"
        );
        assert_eq!(without_explanation("all; well"), "all; well");
    }
}
