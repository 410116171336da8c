//! The log of the daemon in a machine, divided by the marks that the job drew in it.

/// A log: what was written before the first mark, and after each.
#[derive(Debug)]
pub(crate) struct Log<'a> {
    phases: Vec<Phase<'a>>,
}

/// The lines between a mark and the next.
#[derive(Debug)]
struct Phase<'a> {
    name: &'a str,
    lines: Vec<&'a str>,
}

impl<'a> Log<'a> {
    /// Divides a log by its lines `== NAME UPTIME`.
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut phases = vec![Phase::new("")];
        for line in text.lines() {
            let mark = line.strip_prefix("== ");
            if let Some(mark) = mark {
                phases.push(Phase::new(mark.split(' ').next().unwrap_or(mark)));
            } else if let Some(phase) = phases.last_mut() {
                phase.lines.push(line);
            }
        }
        Self { phases }
    }

    /// All lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.phases
            .iter()
            .flat_map(|phase| phase.lines.iter().copied())
    }

    /// The lines of the phases with that name.
    pub(crate) fn during(&self, name: &str) -> impl Iterator<Item = &'a str> + '_ {
        let name = name.to_owned();
        self.phases
            .iter()
            .filter(move |phase| phase.name == name)
            .flat_map(|phase| phase.lines.iter().copied())
    }
}

impl<'a> Phase<'a> {
    fn new(name: &'a str) -> Self {
        Self {
            name,
            lines: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_divided_by_its_marks() {
        let log = Log::parse("started\n== load 12.50\none\ntwo\n== calm 72.51\nthree\n");
        assert_eq!(log.during("load").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(log.during("calm").count(), 1);
        assert_eq!(log.lines().count(), 4);
    }
}
