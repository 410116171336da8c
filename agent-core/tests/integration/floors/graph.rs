//! Floors and circles of what uses what.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::Arrows;

/// Everything that can be reached from each, itself included.
fn reach(arrows: &Arrows) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().insert(to);
        next.entry(to).or_default();
    }
    let walk = |start| {
        let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
        while let Some(place) = open.pop() {
            open.extend(next[place].iter().filter(|further| seen.insert(**further)));
        }
        seen
    };
    next.keys().map(|start| (*start, walk(*start))).collect()
}

/// The largest sets of two and more of which each can be reached from each.
pub(crate) fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<String>> {
    let reach = reach(arrows);
    let circle = |place: &str| -> BTreeSet<String> {
        let back = |other: &&&str| reach[**other].contains(place);
        reach[place]
            .iter()
            .filter(back)
            .map(|&other| other.to_owned())
            .collect()
    };
    let all = reach.keys().map(|place| circle(place));
    all.filter(|circle| circle.len() > 1).collect()
}

/// How many floors a house needs in which arrows only run up. Those in a circle stand on one.
pub(crate) fn floors(arrows: &Arrows) -> usize {
    let reach = reach(arrows);
    let mut height: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<&str> = reach.keys().copied().collect();
    order.sort_by_key(|place| reach[place].len());
    for place in order {
        let below = |other: &&&str| !reach[**other].contains(place);
        let lower = reach[place].iter().filter(below);
        let floor = lower
            .filter_map(|other| height.get(other))
            .max()
            .map_or(1, |floor| floor + 1);
        height.insert(place, floor);
    }
    height.values().max().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(text: &str) -> Arrows {
        let pairs = text.split(' ').filter_map(|pair| pair.split_once('>'));
        pairs
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .collect()
    }

    #[test]
    fn a_circle_is_found_and_stands_on_one_floor() {
        let house = arrows("a>b b>c c>b c>d");

        let circle = BTreeSet::from(["b".to_owned(), "c".to_owned()]);
        assert_eq!(circles(&house), BTreeSet::from([circle]));
        assert_eq!(floors(&house), 3);
        assert_eq!(floors(&arrows("a>b b>c")), 3);
    }
}
