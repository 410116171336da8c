//! What the kernel's files could say.

use agent_core::incidents::evidence::{
    Certainty, Class, Comparison, Explanation, Growth, Source, SourceKind, SourceStatus, Taken,
};

use super::{HOUR, MIB, moment};

pub(crate) fn taken(after: f64, why: &str) -> Taken {
    Taken {
        at: moment(after),
        why: why.to_owned(),
        cpu_us: 41_200,
        read_bytes: 1_204_224,
    }
}

pub(crate) fn growth(class: Class, before: f64, after: f64) -> Growth {
    Growth {
        class,
        before_bytes: (before * MIB) as i64,
        after_bytes: (after * MIB) as i64,
    }
}

pub(crate) fn explanation(
    class: Class,
    owner: &str,
    source: &str,
    [before, after]: [f64; 2],
    share: f64,
    certainty: Certainty,
) -> Explanation {
    Explanation {
        class,
        owner: owner.to_owned(),
        source: source.to_owned(),
        before_bytes: (before * MIB) as u64,
        after_bytes: (after * MIB) as u64,
        explained_bytes: ((after - before) * MIB) as u64,
        share_percent: share,
        certainty,
        partial: false,
    }
}

fn source(kind: SourceKind, standing: SourceStatus) -> Source {
    Source {
        file: kind.file().to_owned(),
        tells: kind.tells().to_owned(),
        standing,
        cpu_us: 1234,
    }
}

fn sources() -> Vec<Source> {
    let absent = |why: &str| SourceStatus::Absent {
        why: why.to_owned(),
    };
    vec![
        source(SourceKind::Slab, SourceStatus::Read),
        source(SourceKind::Sockets, SourceStatus::Read),
        source(SourceKind::Services, SourceStatus::Read),
        source(SourceKind::Vmalloc, SourceStatus::Read),
        source(
            SourceKind::AllocInfo,
            absent("this kernel was not built with CONFIG_MEM_ALLOC_PROFILING (6.10 or newer)"),
        ),
        source(
            SourceKind::Descriptors,
            SourceStatus::Cut {
                why: "8123 of 12000 processes in 50 ms".to_owned(),
            },
        ),
        source(SourceKind::PageOwner, absent("boot with page_owner=on")),
    ]
}

pub(crate) fn comparison(
    growth: Vec<Growth>,
    explanations: Vec<Explanation>,
    unexplained: f64,
) -> Comparison {
    let grown = |growth: &Growth| match growth.class {
        Class::Orphans => 0,
        _ => (growth.after_bytes - growth.before_bytes).max(0),
    };
    Comparison {
        before: taken(-4.0 * HOUR, "suspicion"),
        after: taken(2.0, "incident"),
        growth_bytes: growth.iter().map(grown).sum::<i64>() as u64,
        growth,
        explanations,
        unexplained_bytes: (unexplained * MIB) as u64,
        sources: sources(),
        modules_loaded: Vec::new(),
    }
}
