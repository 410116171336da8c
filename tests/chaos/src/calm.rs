//! The module beside it: says which scan it sees, and nothing else.

use adaptivemm_module_api::{
    Config, ConfigProblems, Finding, Info, Module, Out, ScanError, Severity, Snapshot, register,
};

struct Calm;

register!(Calm);

impl Module for Calm {
    const INFO: Info = Info {
        enabled: false,
        ..Info::new("calm", "1", "Says which scan it sees")
    };

    fn create(_config: &Config<'_>) -> Result<Self, ConfigProblems> {
        Ok(Self)
    }

    fn scan(&mut self, snapshot: &Snapshot<'_>, out: &mut Out<'_>) -> Result<(), ScanError> {
        let text = format!("scan {}", snapshot.scan());
        out.finding(&Finding::new(Severity::Notice, "seen", &text));
        Ok(())
    }
}
