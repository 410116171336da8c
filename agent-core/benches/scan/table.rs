//! Results as a Markdown table.

/// One result.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    target: String,
    result: String,
    /// `None` if there is no target.
    is_met: Option<bool>,
}

impl Row {
    /// A result that has a target.
    pub(crate) fn new(what: &str, target: &str, result: String, is_met: bool) -> Self {
        Self {
            is_met: Some(is_met),
            ..Self::fact(what, target, result)
        }
    }

    /// A result to know.
    pub(crate) fn fact(what: &str, target: &str, result: String) -> Self {
        Self {
            what: what.to_owned(),
            target: target.to_owned(),
            result,
            is_met: None,
        }
    }

    pub(crate) fn is_missed(&self) -> bool {
        self.is_met == Some(false)
    }
}

pub(crate) fn print(rows: &[Row]) {
    println!("\n| What | Target | Result | |\n| --- | --- | --- | --- |");
    for row in rows {
        let mark = match row.is_met {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        println!(
            "| {} | {} | {} | {mark} |",
            row.what, row.target, row.result
        );
    }
    println!();
}
