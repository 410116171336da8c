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
    /// Second of the day at which it begins.
    begin: Option<u64>,
    lines: Vec<&'a str>,
}

impl<'a> Log<'a> {
    /// Divides a log by its lines `== NAME HH:MM:SS`.
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut phases = vec![Phase::new("", None)];
        for line in text.lines() {
            let mark = line.strip_prefix("== ");
            if let Some(mark) = mark {
                let (name, time) = mark.split_once(' ').unwrap_or((mark, ""));
                phases.push(Phase::new(name, second_of_day(time)));
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
    pub(crate) fn during(&self, name: &str) -> impl Iterator<Item = &'a str> + Clone + '_ {
        let name = name.to_owned();
        self.phases
            .iter()
            .filter(move |phase| phase.name == name)
            .flat_map(|phase| phase.lines.iter().copied())
    }

    /// The names of all phases, in their order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.phases.iter().map(|phase| phase.name).skip(1)
    }

    /// How many seconds after the beginning of a phase a line of it was written.
    pub(crate) fn seconds_into(&self, name: &str, line: &str) -> Option<u64> {
        const DAY: u64 = 24 * 60 * 60;
        let phase = self.phases.iter().find(|phase| phase.name == name)?;
        let at = second_of_day(line.split(' ').next()?)?;
        Some((at + DAY - phase.begin?) % DAY)
    }
}

/// The second of the day of `HH:MM:SS`.
fn second_of_day(time: &str) -> Option<u64> {
    let mut seconds = 0;
    for part in time.trim().splitn(3, ':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    Some(seconds)
}

impl<'a> Phase<'a> {
    fn new(name: &'a str, begin: Option<u64>) -> Self {
        Self {
            name,
            begin,
            lines: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_divided_by_its_marks() {
        let log = Log::parse("started\n== load 12:00:01\none\ntwo\n== calm 12:01:01\nthree\n");
        assert_eq!(log.during("load").collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(log.during("calm").count(), 1);
        assert_eq!(log.lines().count(), 4);
        assert_eq!(log.names().collect::<Vec<_>>(), ["load", "calm"]);
    }

    #[test]
    fn a_phase_may_last_over_midnight() {
        let log = Log::parse("== leak 23:59:58\n00:00:05 warning memleak: Possible\n");
        let line = log.during("leak").next().unwrap();
        assert_eq!(log.seconds_into("leak", line), Some(7));
    }
}
