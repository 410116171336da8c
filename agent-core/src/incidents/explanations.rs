//! The choice of the explanations of a growth that are told.

use crate::incidents::evidence::{Comparison, Explanation};

/// The share of a growth, in percent, below which an explanation is left out.
const LEAST_PERCENT: f64 = 0.2;

/// Returns the explanations that explain enough to be told, at most so many, and how many are left out.
pub(crate) fn best_explanations(
    comparison: &Comparison,
    most: usize,
) -> (Vec<&Explanation>, usize) {
    let explanations = &comparison.explanations;
    let best: Vec<_> = explanations
        .iter()
        .filter(|each| is_worth_telling(each.share_percent))
        .take(most)
        .collect();
    let left_out = explanations.len() - best.len();
    (best, left_out)
}

/// The best explanation, if it explains enough to be told.
pub(crate) fn best_explanation(comparison: &Comparison) -> Option<&Explanation> {
    best_explanations(comparison, 1).0.into_iter().next()
}

/// Returns true if such a share of a growth matters. One that is not a number is rather shown.
pub(crate) fn is_worth_telling(percent: f64) -> bool {
    percent.is_nan() || percent >= LEAST_PERCENT
}
