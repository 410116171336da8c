//! The effect of a decision, as far as can be told from before and after.

use std::fmt::Write;

use super::record::Effect;
use super::window::{NodeState, Window};
use crate::modules::output::Action;

/// The part of the larger of two rates by which they must differ; less may be chance.
const CLEAR: f64 = 0.5;

/// Compares the time that programs lose waiting for memory; returns the effect, and a sentence with its numbers.
pub(super) fn judge(action: &Action, before: &Window, after: &Window) -> (Effect, String) {
    let figures = figures(before, after);
    let mut effect = waiting(&figures);
    let mut text = String::new();
    if let Action::CompactNode { node } = action {
        let large = |window: &Window| window.node(*node).and_then(NodeState::in_large_blocks);
        if let (Some(before), Some(after)) = (large(before), large(after)) {
            effect = compare(as_f64(after), as_f64(before));
            add(
                &mut text,
                &format!("pages in the largest free blocks {before} before, {after} since"),
            );
        }
    }
    for figure in figures {
        let Figure { name, unit, .. } = figure;
        if let Some((before, after)) = figure.values {
            let values = format!("{name} {before:.1}{unit} before, {after:.1}{unit} since");
            add(&mut text, &values);
        }
    }
    for state in &before.nodes {
        let later = after.node(state.node).and_then(|state| state.free_pages);
        if let (Some(before), Some(after)) = (state.free_pages, later) {
            let node = state.node;
            add(
                &mut text,
                &format!("free on node {node} {before} pages before, {after} since"),
            );
        }
    }
    if text.is_empty() {
        text.push_str("the kernel does not tell the effect");
    }
    (effect, text)
}

fn add(text: &mut String, part: &str) {
    let separator = if text.is_empty() { "" } else { "; " };
    let _never_fails = write!(text, "{separator}{part}");
}

/// A rate before and after.
struct Figure {
    name: &'static str,
    unit: &'static str,
    values: Option<(f64, f64)>,
    /// True if programs wait meanwhile.
    is_waiting: bool,
}

/// The most telling first.
fn figures(before: &Window, after: &Window) -> [Figure; 5] {
    let figure = |name, unit, before: Option<f64>, after, is_waiting| Figure {
        name,
        unit,
        values: before.zip(after),
        is_waiting,
    };
    [
        figure(
            "allocation stalls",
            "/s",
            before.allocation_stalls_per_second,
            after.allocation_stalls_per_second,
            true,
        ),
        figure(
            "direct reclaim",
            " pages/s",
            before.direct_reclaim_pages_per_second,
            after.direct_reclaim_pages_per_second,
            true,
        ),
        figure(
            "PSI some",
            " %",
            before.pressure_some_percent,
            after.pressure_some_percent,
            true,
        ),
        figure(
            "PSI full",
            " %",
            before.pressure_full_percent,
            after.pressure_full_percent,
            true,
        ),
        figure(
            "background reclaim",
            " pages/s",
            before.kswapd_reclaim_pages_per_second,
            after.kswapd_reclaim_pages_per_second,
            false,
        ),
    ]
}

/// The first rate that is not zero decides.
fn waiting(figures: &[Figure]) -> Effect {
    let known = figures.iter().filter(|figure| figure.is_waiting);
    let mut known = known.filter_map(|figure| figure.values).peekable();
    if known.peek().is_none() {
        return Effect::Unknown;
    }
    known
        .find(|(before, after)| *before > 0.0 || *after > 0.0)
        .map_or(Effect::Quiet, |(before, after)| compare(before, after))
}

/// Returns the effect on a number that had better be small.
fn compare(before: f64, after: f64) -> Effect {
    let clear = CLEAR * before.max(after);
    match before - after {
        difference if clear > 0.0 && difference >= clear => Effect::Better,
        difference if clear > 0.0 && -difference >= clear => Effect::Worse,
        _ => Effect::Unchanged,
    }
}

fn as_f64(pages: u64) -> f64 {
    adaptivemm_module_api::units::Pages::new(pages).as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(stalls: Option<f64>, psi: Option<f64>) -> Window {
        Window {
            allocation_stalls_per_second: stalls,
            pressure_some_percent: psi,
            ..Window::default()
        }
    }

    fn set() -> Action {
        Action::Set {
            tunable: "vm.watermark_scale_factor".to_owned(),
            value: 45,
        }
    }

    fn effect(before: &Window, after: &Window) -> Effect {
        judge(&set(), before, after).0
    }

    #[test]
    fn the_most_telling_rate_that_is_not_zero_decides() {
        let cases = [
            (Some(12.0), Some(1.0), Some(0.0), Some(9.0), Effect::Better),
            (Some(0.0), Some(9.0), Some(0.0), Some(1.0), Effect::Better),
            (Some(0.0), Some(1.0), Some(0.0), Some(9.0), Effect::Worse),
            (Some(2.0), None, Some(1.1), None, Effect::Unchanged),
            (Some(2.0), None, Some(1.0), None, Effect::Better),
            (Some(0.0), Some(0.0), Some(0.0), Some(0.0), Effect::Quiet),
            (None, None, None, Some(1.0), Effect::Unknown),
        ];
        for (stalls, psi, stalls_after, psi_after, expected) in cases {
            let (before, after) = (window(stalls, psi), window(stalls_after, psi_after));
            assert_eq!(effect(&before, &after), expected);
        }
    }

    #[test]
    fn compaction_is_judged_by_the_large_blocks_of_its_node() {
        let window = |large| Window {
            nodes: vec![NodeState {
                node: 1,
                free_pages: Some(900),
                free_blocks: vec![0, 0, large],
                ..NodeState::default()
            }],
            ..window(Some(0.0), None)
        };
        let compact = Action::CompactNode { node: 1 };

        let (effect, text) = judge(&compact, &window(10), &window(100));

        assert_eq!(effect, Effect::Better);
        assert_eq!(
            text,
            "pages in the largest free blocks 40 before, 400 since; \
             allocation stalls 0.0/s before, 0.0/s since; free on node 1 900 pages before, 900 since"
        );
    }

    #[test]
    fn a_kernel_that_says_nothing_is_said_to_say_nothing() {
        let (effect, text) = judge(&set(), &Window::default(), &Window::default());

        assert_eq!(
            (effect, text.as_str()),
            (Effect::Unknown, "the kernel does not tell the effect")
        );
    }
}
