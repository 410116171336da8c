//! What a module says of itself: its name, what it needs, what it may change, what can be chosen.

use core::fmt;

use crate::abi;

/// What a module is. All of it is data, known before an instance exists.
///
/// Let it end in `..Info::new(...)`, as later versions may add fields.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// In kebab-case; unique among the modules of a daemon. The name of its table in the configuration.
    pub name: &'static str,
    /// Of the module.
    pub version: &'static str,
    /// What it looks after, in one sentence.
    pub description: &'static str,
    /// The configuration key that switches it, such as `ENABLE_MEMLEAK_CHECK`; empty for none.
    pub flag: &'static str,
    /// Whether it is on unless the configuration says otherwise.
    pub enabled: bool,
    /// The oldest minor version of the core's interface that it can work with, if not all of this major
    /// version; see [`abi::MINOR`].
    pub needs_minor: u32,
    /// The kernel files it wants to see; it sees no others.
    pub needs: &'static [Need],
    /// What it may ask to change; anything else it asks for is refused.
    pub writes: &'static [Action],
    /// What an administrator can choose, as references: `&[&LIMIT, &SWITCH]`.
    pub options: &'static [&'static dyn AnyOpt],
}

impl Info {
    /// A module that is on, needs nothing, changes nothing and leaves nothing to choose.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str, description: &'static str) -> Self {
        Self {
            name,
            version,
            description,
            flag: "",
            enabled: true,
            needs_minor: 0,
            needs: &[],
            writes: &[],
            options: &[],
        }
    }
}

/// A kernel file that a module wants to see in every snapshot.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Need(pub(crate) abi::Str);

impl Need {
    /// [`Snapshot::meminfo`](crate::Snapshot::meminfo).
    pub const MEMINFO: Self = Self::file(abi::NEED_MEMINFO);
    /// [`Snapshot::vmstat`](crate::Snapshot::vmstat).
    pub const VMSTAT: Self = Self::file(abi::NEED_VMSTAT);
    /// [`Snapshot::zones`](crate::Snapshot::zones) and [`Node::stats`](crate::Node::stats).
    pub const ZONEINFO: Self = Self::file(abi::NEED_ZONEINFO);
    /// [`Zone::free_blocks`](crate::Zone::free_blocks); comes with the zones of [`Need::ZONEINFO`].
    pub const BUDDYINFO: Self = Self::file(abi::NEED_BUDDYINFO);
    /// [`Snapshot::hugepages`](crate::Snapshot::hugepages): `nr_hugepages` of every size.
    pub const HUGEPAGES: Self = Self::file(abi::NEED_HUGEPAGES);
    /// [`Node::meminfo`](crate::Node::meminfo) of every node.
    pub const NODE_MEMINFO: Self = Self::file(abi::NEED_NODE_MEMINFO);

    /// Any other file, by its path on a live machine; see [`Snapshot::file`](crate::Snapshot::file).
    #[must_use]
    pub const fn file(path: &'static str) -> Self {
        Self(abi::Str::new(path))
    }
}

/// Something that a module may ask the core to do to the machine.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct Action(pub(crate) abi::Str);

impl Action {
    /// Compact the memory of a node; asked for with [`Request::compact_node`](crate::Request::compact_node).
    pub const COMPACT_NODE: Self = Self(abi::Str::new(abi::ACTION_COMPACT_NODE));

    /// Set a tunable, named as by sysctl: `vm.watermark_scale_factor`. Its value comes with every
    /// snapshot; it is asked for with [`Request::set`](crate::Request::set).
    #[must_use]
    pub const fn set(tunable: &'static str) -> Self {
        Self(abi::Str::new(tunable))
    }
}

/// An option of a module: a key of `[modules.NAME.config]`, read with [`Config`](crate::Config).
#[derive(Debug, Clone, Copy)]
pub struct Opt<T> {
    pub(crate) name: &'static str,
    pub(crate) default: T,
    min: f64,
    max: f64,
    help: &'static str,
}

impl Opt<bool> {
    /// On or off.
    #[must_use]
    pub const fn boolean(name: &'static str, default: bool, help: &'static str) -> Self {
        Self {
            name,
            default,
            min: 0.0,
            max: 1.0,
            help,
        }
    }
}

impl Opt<i64> {
    /// A whole number from `min` to `max`. Let the name end in its unit: `limit-mib`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "no range of an option is beyond 2^53"
    )]
    pub const fn integer(
        name: &'static str,
        default: i64,
        min: i64,
        max: i64,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            default,
            min: min as f64,
            max: max as f64,
            help,
        }
    }
}

impl Opt<f64> {
    /// A number from `min` to `max`. Let the name end in its unit: `min-growth-percent`.
    #[must_use]
    pub const fn float(
        name: &'static str,
        default: f64,
        min: f64,
        max: f64,
        help: &'static str,
    ) -> Self {
        Self {
            name,
            default,
            min,
            max,
            help,
        }
    }
}

impl Opt<&'static str> {
    /// A string.
    #[must_use]
    pub const fn text(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            default,
            min: 0.0,
            max: 0.0,
            help,
        }
    }
}

/// An option of whatever kind: an [`Opt`] of `bool`, `i64`, `f64` or `&'static str`.
pub trait AnyOpt: fmt::Debug + Sync {
    /// In the shape of the C interface.
    #[doc(hidden)]
    fn declaration(&self, _: Sealed) -> abi::OptionDeclaration;
}

/// What only this crate can make, so that no other kind of option can be.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Sealed(());

impl Sealed {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl AnyOpt for Opt<bool> {
    fn declaration(&self, _: Sealed) -> abi::OptionDeclaration {
        self.declared(abi::BOOLEAN, abi::Value::boolean(self.default))
    }
}

impl AnyOpt for Opt<i64> {
    fn declaration(&self, _: Sealed) -> abi::OptionDeclaration {
        self.declared(abi::INTEGER, abi::Value::integer(self.default))
    }
}

impl AnyOpt for Opt<f64> {
    fn declaration(&self, _: Sealed) -> abi::OptionDeclaration {
        self.declared(abi::FLOAT, abi::Value::float(self.default))
    }
}

impl AnyOpt for Opt<&'static str> {
    fn declaration(&self, _: Sealed) -> abi::OptionDeclaration {
        self.declared(abi::TEXT, abi::Value::text(self.default))
    }
}

impl<T> Opt<T> {
    const fn declared(&self, kind: u32, default: abi::Value) -> abi::OptionDeclaration {
        abi::OptionDeclaration {
            name: abi::Str::new(self.name),
            kind,
            pad: 0,
            default,
            min: self.min,
            max: self.max,
            help: abi::Str::new(self.help),
        }
    }
}
