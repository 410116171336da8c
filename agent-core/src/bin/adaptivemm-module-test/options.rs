//! A module at the limits of its options: each at its least and its most, the others as they are.

use super::candidate::{Candidate, Values};
use super::manners::Manners;
use super::reel::Reel;
use super::report::{Level, Report};
use super::stage::Stage;
use agent_core::config::{OptionSchema, Value};
use agent_core::modules::abi::CreateError;

/// How many frames are shown at each limit.
const FRAMES: usize = 10;

pub(super) fn judge(
    candidate: &Candidate,
    reel: &Reel,
    manners: &mut Manners,
    report: &mut Report,
) {
    for (index, option) in candidate.module.schema.options.iter().enumerate() {
        let mut works = Vec::new();
        for limit in limits(option) {
            let set = format!("{} = {limit}", option.name);
            let mut values = candidate.values.clone();
            values[index].1 = limit;
            match complaint(candidate, option, &values, reel, manners) {
                None => works.push(set),
                Some((level, why)) => {
                    report.say(level, candidate.name(), "options", &format!("{set}: {why}"));
                }
            }
        }
        if !works.is_empty() {
            report.say(Level::Ok, candidate.name(), "options", &works.join(", "));
        }
    }
}

/// The least and the most; of a text only what it is anyway.
fn limits(option: &OptionSchema) -> Vec<Value> {
    let range = option.range;
    match (&option.default, range) {
        (Value::Boolean(_), _) => vec![Value::Boolean(false), Value::Boolean(true)],
        (Value::Integer(_), Some((least, most))) => {
            vec![Value::Integer(whole(least)), Value::Integer(whole(most))]
        }
        (Value::Float(_), Some((least, most))) => [least, most]
            .map(|limit| Value::Float(limit.clamp(f64::MIN, f64::MAX)))
            .to_vec(),
        (default, _) => vec![default.clone()],
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a limit beyond all whole numbers is the last of them"
)]
fn whole(limit: f64) -> i64 {
    limit as i64
}

fn complaint(
    candidate: &Candidate,
    option: &OptionSchema,
    values: &Values,
    reel: &Reel,
    manners: &mut Manners,
) -> Option<(Level, String)> {
    match Stage::new(candidate, values, reel, manners) {
        Ok(stage) => watch(stage, reel).err().map(|why| (Level::Fail, why)),
        Err(CreateError::Broken(why)) => Some((Level::Fail, why)),
        Err(CreateError::Options(problems)) => Some(refusal(candidate, option, &problems)),
    }
}

fn watch(mut stage: Stage<'_>, reel: &Reel) -> Result<(), String> {
    for frame in reel.again_and_again().take(FRAMES) {
        stage.show(&frame)?;
    }
    stage.end()
}

/// A module may refuse what makes no sense, if it says what and why.
fn refusal(
    candidate: &Candidate,
    option: &OptionSchema,
    problems: &[(String, String)],
) -> (Level, String) {
    let options = &candidate.module.schema.options;
    let is_named = |(key, text): &(String, String)| {
        options.iter().any(|option| option.name == *key) || text.contains(&option.name)
    };
    let said = CreateError::Options(problems.to_vec());
    if problems.iter().any(|(_, text)| text.is_empty()) {
        (
            Level::Fail,
            "it is refused, and no reason is said".to_owned(),
        )
    } else if problems.iter().any(is_named) {
        (Level::Note, format!("it is refused: {said}"))
    } else {
        (
            Level::Warning,
            format!("it is refused, and no option is named: {said}"),
        )
    }
}
