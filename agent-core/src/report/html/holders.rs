//! Who holds the memory now, which is not the daemon's own evidence.

use maud::{Markup, html};

use super::super::outlook::as_f64;
use super::super::phrases;
use super::super::view::View;
use crate::incidents::evidence::{Certainty, Class, Holder, Now};

/// The section of the page.
pub(super) fn now(view: &View<'_>, now: &Now) -> Markup {
    let at = view.calendar.noted(&now.taken.at);
    html! {
        section aria-labelledby="now" {
            h2 id="now" { "Who holds it now" }
            @if now.holders.is_empty() {
                p { "Nobody is to be seen who holds it." }
            } @else {
                table {
                    thead { tr { th scope="col" { "Who" } th class="n" scope="col" { "Before, now" } } }
                    tbody { @for holder in &now.holders { (row(holder)) } }
                }
            }
            p class="note" { "Root looked at " (at) "; the daemon itself may not look at all of it." }
            @for each in &now.not_asked {
                p class="note" { (phrases::name(&each.file)) " was not read to its end: " (phrases::line(&each.why)) "." }
            }
        }
    }
}

fn row(holder: &Holder) -> Markup {
    let before = holder
        .before_bytes
        .map(|bytes| phrases::bytes(as_f64(bytes)));
    let class = holder.class.map_or("memory", Class::name);
    html! {
        tr {
            th class="who" scope="row" {
                (phrases::name(&holder.owner))
                small {
                    @if !holder.note.is_empty() { (phrases::name(&holder.note)) ", " }
                    (class)
                    @if holder.certainty == Certainty::AtMost { ", at most" }
                    ", " (phrases::name(&holder.source))
                }
            }
            td class="n" { (before.unwrap_or_else(|| "not known".to_owned())) br; (phrases::bytes(as_f64(holder.bytes))) }
        }
    }
}
