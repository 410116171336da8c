//! The kinds of events, under numbers by which programs and the catalog of the systemd journal know them.

/// A kind of event. Each has a text in `conf/journald/adaptivemmd.catalog`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The daemon started.
    Started,
    /// It ended, as it was told to.
    Ended,
    /// The configuration was read again.
    Reloaded,
    /// It was not taken over.
    ReloadRefused,
    /// A setting is wrong, or does not do what it says.
    Setting,
    /// A module saw something that somebody should look at.
    Warning,
    /// A module saw something.
    Finding,
    /// A module suspects that the kernel has lost memory.
    Leak,
    /// Evidence is kept of what a module reported.
    Incident,
    /// It could not be kept.
    IncidentLost,
    /// A tunable was changed.
    Changed,
    /// The kernel was asked to compact a node.
    Compacting,
    /// A trouble has ended.
    Compacted,
    /// A request was not carried out, as it is not to be.
    NotDone,
    /// A request could not be carried out.
    Failed,
    /// The follow-up of a decision.
    FollowUp,
    /// A tunable has its original value again.
    Restored,
    /// It could not get it.
    NotRestored,
    /// A tunable was changed externally, and its tuning is paused.
    Yielded,
    /// The tuning of a tunable resumes.
    Resumed,
    /// A kernel file cannot be read.
    Unreadable,
    /// It can be read again.
    Readable,
    /// A module cannot do its work.
    ModuleFailed,
    /// A module did not answer in time.
    ModuleLate,
    /// A module broke down, and is started again.
    ModuleRestarted,
    /// A module is not asked any more.
    ModuleQuarantined,
    /// A module does its work again.
    ModuleRecovered,
    /// A module says too much, or where it must not.
    ModuleMisbehaved,
    /// A file was not loaded.
    ModuleRefused,
    /// A module is not run, although it is enabled.
    ModuleIdle,
    /// A module was running when the daemon died.
    ModuleSuspected,
    /// Something of the daemon itself does not work.
    Trouble,
    /// It works again.
    TroubleOver,
    /// Messages were lost.
    MessagesLost,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 34] = [
        Self::Started,
        Self::Ended,
        Self::Reloaded,
        Self::ReloadRefused,
        Self::Setting,
        Self::Warning,
        Self::Finding,
        Self::Leak,
        Self::Incident,
        Self::IncidentLost,
        Self::Changed,
        Self::Compacting,
        Self::Compacted,
        Self::NotDone,
        Self::Failed,
        Self::FollowUp,
        Self::Restored,
        Self::NotRestored,
        Self::Yielded,
        Self::Resumed,
        Self::Unreadable,
        Self::Readable,
        Self::ModuleFailed,
        Self::ModuleLate,
        Self::ModuleRestarted,
        Self::ModuleQuarantined,
        Self::ModuleRecovered,
        Self::ModuleMisbehaved,
        Self::ModuleRefused,
        Self::ModuleIdle,
        Self::ModuleSuspected,
        Self::Trouble,
        Self::TroubleOver,
        Self::MessagesLost,
    ];

    /// Returns its `MESSAGE_ID`, which is stable.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Started => "b21254dff3274830af11ee372a1ef88c",
            Self::Ended => "1745e4d67e764b77b453cfb24144b9ff",
            Self::Reloaded => "e88983f95adc47919209f23fb88fcafe",
            Self::ReloadRefused => "b283d004205b4bba8c346770e4181e4d",
            Self::Setting => "12f681d9333c4ecdba04d4c997d43b20",
            Self::Warning => "9b868d09c0df499d8282220cc22ea822",
            Self::Finding => "d837c54019d7479cac85839674591551",
            Self::Leak => "317a41fa1f2241c5abc805b8aaf4dff5",
            Self::Incident => "c8a2519ec9104698b38f7be0f0635d5b",
            Self::IncidentLost => "596bcaecab5a4b23814fe05f8ce6364b",
            Self::Changed => "4ed5ffa804e7485fbe884563d9319c3a",
            Self::Compacting => "09d6ee82ccfd43388f8e6ecb584c201a",
            Self::Compacted => "c62d3ac5152444b19b950b8959e654a9",
            Self::NotDone => "0a37a391088048188ac602a1e81906a4",
            Self::Failed => "0eb32745bf0c4d1e80213c30dfab0e32",
            Self::FollowUp => "61465366875443d9b4301a9337fc7d2f",
            Self::Restored => "d0bc56f778ae4e46b365f4734eac8f33",
            Self::NotRestored => "ef07c109edfb43e9837c3d7b9908a1de",
            Self::Yielded => "40d1a650ac674159b856bd3a832699ee",
            Self::Resumed => "53a032e973b842b8878e95a7d4f458d7",
            Self::Unreadable => "4c790d7287b1411ca63c20656bdb03f3",
            Self::Readable => "f80c1c5eecdc42ab971b0571734b9672",
            Self::ModuleFailed => "ede1b520e4e34e8481adcac0e5490a40",
            Self::ModuleLate => "618550fcf4cf444fbab35ac7c648278d",
            Self::ModuleRestarted => "8a522d013f22479dac3f46a8f2465e63",
            Self::ModuleQuarantined => "5b92deb67b834859a893bc34c2627d80",
            Self::ModuleRecovered => "9106303b9a0b4a798beb60ca65d7fa33",
            Self::ModuleMisbehaved => "0840ddf7148e46fbb5fcbfe60f696f95",
            Self::ModuleRefused => "fbaec81681194e5296ec38d9c5effbf0",
            Self::ModuleIdle => "d5333a8f06fd4720b404b7704710b5d9",
            Self::ModuleSuspected => "67f727918f904532bfe057fc5e7652f9",
            Self::Trouble => "8c872b0a97b040af9eec05f87c5878e1",
            Self::TroubleOver => "e28b7a481e8c441eac1fb95b674bc128",
            Self::MessagesLost => "6c51c1a96cdb430c9fb08a3a356ead5c",
        }
    }
}
