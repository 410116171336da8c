//! The C interface between the core and a module.
//!
//! Everything here is `repr(C)`, valid when zeroed, and only ever grows at the end:
//!
//! - Nothing owned crosses. Whoever is called copies what it keeps before it returns.
//! - A structure starts with its size as the producer knew it; the reader copies what both know into
//!   a zeroed value of its own ([`read_sized`]). Zero means absent.
//! - An array carries the producer's element size ([`Seq`]), so that elements can grow too.
//! - Kinds are numbers; an unknown one is answered with [`UNSUPPORTED`].
//! - Strings are counted UTF-8.
//! - A [`Sink`] is valid during the call it came with, on that thread.
//!
//! The same in C, which is the contract, is `include/adaptivemm_module.h`.
#![expect(
    unsafe_code,
    reason = "the one place where memory of the other side is read"
)]

use core::ffi::{CStr, c_void};
use core::mem::offset_of;

mod lent;

/// [`ModuleSet::magic`] and [`Host::magic`]: `AMM1`, as bytes in memory of a little-endian machine.
pub const MAGIC: u32 = 0x314d_4d41;
/// The version of this interface that breaks with the one before.
pub const MAJOR: u16 = 1;
/// The version of this interface that only adds to the one before.
pub const MINOR: u16 = 0;
/// The one symbol that a module library exports; it is the same in every version. Of type [`Entry`].
pub const ENTRY: &CStr = c"adaptivemm_module_entry";

pub use lent::{Seq, Str, Versioned, read_prefix, read_sized, size_of_u32};

/// A call did what it was asked to do.
pub const OK: i32 = 0;
/// An argument makes no sense.
pub const INVALID: i32 = -1;
/// The module could not do its work; the sink has the reason.
pub const FAILED: i32 = -2;
/// The module panicked; the sink has the message. The instance must not be called again.
pub const PANICKED: i32 = -3;
/// The module did not declare this, or the administrator does not allow it.
pub const DENIED: i32 = -4;
/// The other side does not know this kind.
pub const UNSUPPORTED: i32 = -5;

/// `errno` of what there is not on this machine: the same on all platforms of Linux.
pub(crate) const ENOENT: i32 = 2;
/// `errno` of what is not what the kernel documents: the same on all platforms that the core runs on.
pub(crate) const EBADMSG: i32 = 74;

/// Says that a structure is [`Versioned`], and which member was the last one in version 1.0.
macro_rules! versioned {
    ($type:ty, up_to $last:ident: $last_type:ty) => {
        // SAFETY: `repr(C)`, and all members are numbers, pointers or optional function pointers, for
        // which zero is valid. Padding is named.
        unsafe impl Versioned for $type {
            const MIN_SIZE: usize = offset_of!($type, $last) + size_of::<$last_type>();
        }
    };
}

/// [`Declaration::needs`]: [`Snapshot::meminfo`].
pub const NEED_MEMINFO: &str = "/proc/meminfo";
/// [`Declaration::needs`]: [`Snapshot::vmstat`].
pub const NEED_VMSTAT: &str = "/proc/vmstat";
/// [`Declaration::needs`]: [`Snapshot::zones`] and [`Node::stats`].
pub const NEED_ZONEINFO: &str = "/proc/zoneinfo";
/// [`Declaration::needs`]: [`Zone::free_blocks`], if zones are needed, too.
pub const NEED_BUDDYINFO: &str = "/proc/buddyinfo";
/// [`Declaration::needs`]: [`Snapshot::hugepages`].
pub const NEED_HUGEPAGES: &str = "/sys/kernel/mm/hugepages";
/// [`Declaration::needs`]: [`Node::meminfo`].
pub const NEED_NODE_MEMINFO: &str = "/sys/devices/system/node";

/// One counter of the kernel: a line of `/proc/meminfo` (in bytes) or `/proc/vmstat` (in its own unit).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    /// The kernel's name, such as `MemFree`.
    pub key: Str,
    /// Bytes where the file says kB, else as printed.
    pub value: u64,
}
versioned!(Counter, up_to value: u64);

/// What became of one of the module's `needs`, and the text if it is a file.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// As in the module's `needs`.
    pub path: Str,
    /// 0, or the `errno` of the attempt to read it.
    pub errno: i32,
    /// Zero.
    pub pad: u32,
    /// What it held; need not be UTF-8. Nothing for a directory.
    pub content: Str,
}
versioned!(File, up_to content: Str);

/// The zone has no `free`.
pub const ZONE_NO_FREE: u32 = 1;
/// The zone has no `boost`.
pub const ZONE_NO_BOOST: u32 = 2;
/// The zone has no `min`.
pub const ZONE_NO_MIN: u32 = 4;
/// The zone has no `low`.
pub const ZONE_NO_LOW: u32 = 8;
/// The zone has no `high`.
pub const ZONE_NO_HIGH: u32 = 16;
/// The zone has no `spanned`.
pub const ZONE_NO_SPANNED: u32 = 32;
/// The zone has no `present`.
pub const ZONE_NO_PRESENT: u32 = 64;
/// The zone has no `managed`.
pub const ZONE_NO_MANAGED: u32 = 128;
/// The zone has no `cma`.
pub const ZONE_NO_CMA: u32 = 256;
/// The zone has no `per_cpu`.
pub const ZONE_NO_PER_CPU: u32 = 512;

/// One zone of one node, from `/proc/zoneinfo` and `/proc/buddyinfo`. In pages.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Zone {
    /// `DMA`, `DMA32`, `Normal`, `Movable`, ...
    pub name: Str,
    /// The number of its node.
    pub node: u32,
    /// `ZONE_NO_*`: which of the numbers below this kernel does not print for this zone. They mean nothing.
    pub missing: u32,
    /// `pages free`.
    pub free: u64,
    /// Added to the watermarks for a while after fragmentation; printed since 5.16.
    pub boost: u64,
    /// The min watermark.
    pub min: u64,
    /// The low watermark: kswapd starts.
    pub low: u64,
    /// The high watermark: kswapd stops.
    pub high: u64,
    /// Pages between the first and the last.
    pub spanned: u64,
    /// Pages that exist.
    pub present: u64,
    /// Pages that the buddy allocator manages; grows while memory is initialised lazily.
    pub managed: u64,
    /// Pages reserved for the contiguous memory allocator; printed since 5.12.
    pub cma: u64,
    /// Free pages on per-CPU lists: the sum of the `count:` lines.
    pub per_cpu: u64,
    /// The zone's `nr_*` and other counters, by name.
    pub counters: Seq<Counter>,
    /// Free blocks of each order, this zone's row of `/proc/buddyinfo`; absent without that file.
    pub free_blocks: Seq<u64>,
}
versioned!(Zone, up_to free_blocks: Seq<u64>);

/// One NUMA node.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// Its number; numbers may have gaps.
    pub id: u32,
    /// 0, or the `errno` of the attempt to read the node's meminfo.
    pub meminfo_errno: i32,
    /// `/sys/devices/system/node/node<id>/meminfo`, in bytes; absent if not asked for or not readable.
    pub meminfo: Seq<Counter>,
    /// `per-node stats` of `/proc/zoneinfo`; absent if not asked for or older than 4.8.
    pub stats: Seq<Counter>,
}
versioned!(Node, up_to stats: Seq<Counter>);

/// The pool of huge pages of one size, from `/sys/kernel/mm/hugepages`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Hugepages {
    /// Of one page, in bytes.
    pub size: u64,
    /// `nr_hugepages`: pages in the pool, used or not, surplus included.
    pub count: u64,
}
versioned!(Hugepages, up_to count: u64);

/// [`Tunable::flags`]: somebody else set it while the daemon ran, so it is left alone until the
/// administrator says `resume`.
pub const TUNABLE_YIELDED: u32 = 1;

/// A tunable that the module declared in `writes`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Tunable {
    /// Its name, such as `vm.watermark_scale_factor`.
    pub name: Str,
    /// Its value now.
    pub value: i64,
    /// Its value before the daemon first changed it; equal to `value` as long as it has changed nothing,
    /// or where the value is somebody else's.
    pub original: i64,
    /// `TUNABLE_*`.
    pub flags: u32,
    /// 0; or the `errno` of the attempt to read it, and it has no value: `ENOENT` if this kernel lacks it, `EOPNOTSUPP`
    /// if this core does not know it.
    pub errno: i32,
}
versioned!(Tunable, up_to errno: i32);

/// [`Snapshot::flags`]: memory moved while the files were read; sums over several files may be off.
pub const SNAPSHOT_UNSTEADY: u32 = 1;

/// The machine at one moment. Holds what the module asked for in its `needs`, and nothing else.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// In bytes, as the core knows it.
    pub struct_size: u32,
    /// `SNAPSHOT_*`.
    pub flags: u32,
    /// The number of the scan, from 1.
    pub scan: u64,
    /// Time since boot, suspended time included, in nanoseconds.
    pub uptime_ns: u64,
    /// The time between two scans, in nanoseconds.
    pub period_ns: u64,
    /// In bytes.
    pub page_size: u64,
    /// `/proc/meminfo`.
    pub meminfo: Seq<Counter>,
    /// `/proc/vmstat`.
    pub vmstat: Seq<Counter>,
    /// `/proc/zoneinfo`, in the kernel's order.
    pub zones: Seq<Zone>,
    /// Per-node figures, by number; absent if there are none.
    pub nodes: Seq<Node>,
    /// Pools of huge pages, by size.
    pub hugepages: Seq<Hugepages>,
    /// The tunables in the module's `writes`, also those that this kernel lacks.
    pub tunables: Seq<Tunable>,
    /// Every one of the module's `needs`: what became of it, and the text if it is a file.
    pub files: Seq<File>,
}
versioned!(Snapshot, up_to files: Seq<File>);

/// [`Finding::severity`]: the module or the daemon does not do its work.
pub const SEVERITY_ERROR: u32 = 3;
/// [`Finding::severity`]: the machine is heading for trouble.
pub const SEVERITY_WARNING: u32 = 4;
/// [`Finding::severity`]: the machine was changed, or would have been.
pub const SEVERITY_NOTICE: u32 = 5;
/// [`Finding::severity`]: started, stopped, back to normal.
pub const SEVERITY_INFO: u32 = 6;
/// [`Finding::severity`]: what else led to a decision.
pub const SEVERITY_DEBUG: u32 = 7;

/// [`Finding::kind`]: memory is lost, or grows without end.
pub const KIND_LEAK: u32 = 1;
/// [`Finding::effect`]: its incident is over.
pub const EFFECT_ENDS: u32 = 1;

/// A number of a finding, with its unit in its name.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// Such as `unaccounted_bytes`.
    pub name: Str,
    /// Exact for whole numbers below 2^53.
    pub value: f64,
}
versioned!(Number, up_to value: f64);

/// Something seen.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Finding {
    /// In bytes, as the module knows it.
    pub struct_size: u32,
    /// As in syslog, [`SEVERITY_ERROR`] to [`SEVERITY_DEBUG`].
    pub severity: u32,
    /// The smallest verbosity, 0 to 5, at which it is logged.
    pub verbosity: u32,
    /// `KIND_*`: what it is about, as far as the core treats that differently; else 0.
    pub kind: u32,
    /// Which of the module's findings it is, in kebab-case, for programs: `slow-leak`.
    pub code: Str,
    /// The finding, in one line for people.
    pub text: Str,
    /// Further lines, separated by line feeds; may be absent.
    pub details: Str,
    /// The numbers behind it.
    pub numbers: Seq<Number>,
    /// The incident that it belongs to, as the module calls it, in kebab-case; absent if it is none.
    pub incident: Str,
    /// `EFFECT_*`: what it does to its incident; 0 if it opens it, or goes on with it.
    pub effect: u32,
    /// Zero.
    pub pad: u32,
}
versioned!(Finding, up_to pad: u32);

/// [`Request::kind`]: give a tunable a value.
pub const SET_TUNABLE: u32 = 1;
/// [`Request::kind`]: compact the memory of a node.
pub const COMPACT_NODE: u32 = 2;
/// [`Declaration::writes`]: the module may ask for [`COMPACT_NODE`].
pub const ACTION_COMPACT_NODE: &str = "compact-node";

/// Something asked for.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// In bytes, as the module knows it.
    pub struct_size: u32,
    /// [`SET_TUNABLE`] or [`COMPACT_NODE`].
    pub kind: u32,
    /// For [`SET_TUNABLE`].
    pub tunable: Str,
    /// For [`SET_TUNABLE`].
    pub value: i64,
    /// For [`COMPACT_NODE`].
    pub node: u32,
    /// Zero.
    pub pad: u32,
    /// Why, in one line for people, with the numbers that led to it.
    pub reason: Str,
    /// Further lines, separated by line feeds: what was weighed and what was rejected; may be absent.
    pub details: Str,
    /// The numbers behind it.
    pub numbers: Seq<Number>,
}
versioned!(Request, up_to numbers: Seq<Number>);

/// Something wrong: with an option in `create`, with the machine in `scan`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Problem {
    /// In bytes, as the module knows it.
    pub struct_size: u32,
    /// Zero.
    pub pad: u32,
    /// The option; absent in `scan`.
    pub key: Str,
    /// What is wrong and what was expected.
    pub text: Str,
}
versioned!(Problem, up_to text: Str);

/// Where a module's words go. Valid during the call it came with, on that thread.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Sink {
    /// In bytes, as the core knows it.
    pub struct_size: u32,
    /// Zero.
    pub pad: u32,
    /// The core's; to be passed to every function below.
    pub context: *mut c_void,
    /// Takes a finding.
    pub finding: Option<unsafe extern "C" fn(*mut c_void, *const Finding) -> i32>,
    /// Takes a request; [`DENIED`] if the module did not declare it.
    pub request: Option<unsafe extern "C" fn(*mut c_void, *const Request) -> i32>,
    /// Takes a number that is published every scan: its name, with the unit, and its value.
    pub metric: Option<unsafe extern "C" fn(*mut c_void, Str, f64) -> i32>,
    /// Takes one line on how things stand; the last one of a scan counts.
    pub status: Option<unsafe extern "C" fn(*mut c_void, Str) -> i32>,
    /// Takes a problem.
    pub problem: Option<unsafe extern "C" fn(*mut c_void, *const Problem) -> i32>,
    /// Takes bytes that [`Config::state`] gives back to the next instance; the last ones of a scan count.
    /// [`INVALID`] if there are more than [`MAX_STATE`].
    pub keep: Option<unsafe extern "C" fn(*mut c_void, Str) -> i32>,
}
versioned!(Sink, up_to keep: Option<unsafe extern "C" fn(*mut c_void, Str) -> i32>);

/// The most bytes that [`Sink::keep`] takes.
pub const MAX_STATE: u32 = 65_536;

/// [`OptionDeclaration::kind`]: `true` or `false`.
pub const BOOLEAN: u32 = 1;
/// [`OptionDeclaration::kind`]: a whole number.
pub const INTEGER: u32 = 2;
/// [`OptionDeclaration::kind`]: a number.
pub const FLOAT: u32 = 3;
/// [`OptionDeclaration::kind`]: a string.
pub const TEXT: u32 = 4;

/// The value of an option.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Value {
    /// [`BOOLEAN`] (0 or 1) and [`INTEGER`].
    pub integer: i64,
    /// [`FLOAT`].
    pub float: f64,
    /// [`TEXT`].
    pub text: Str,
}

impl Value {
    const NOTHING: Self = Self {
        integer: 0,
        float: 0.0,
        text: Str::ABSENT,
    };

    /// A [`BOOLEAN`].
    #[must_use]
    pub const fn boolean(on: bool) -> Self {
        Self::integer(on as i64)
    }

    /// An [`INTEGER`].
    #[must_use]
    pub const fn integer(integer: i64) -> Self {
        Self {
            integer,
            ..Self::NOTHING
        }
    }

    /// A [`FLOAT`].
    #[must_use]
    pub const fn float(float: f64) -> Self {
        Self {
            float,
            ..Self::NOTHING
        }
    }

    /// A [`TEXT`], which points to `text`.
    #[must_use]
    pub const fn text(text: &str) -> Self {
        Self {
            text: Str::new(text),
            ..Self::NOTHING
        }
    }
}

/// What an administrator can choose: a key of `[modules.NAME.config]`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct OptionDeclaration {
    /// In kebab-case, ending in its unit: `min-growth-percent`.
    pub name: Str,
    /// [`BOOLEAN`], [`INTEGER`], [`FLOAT`] or [`TEXT`].
    pub kind: u32,
    /// Zero.
    pub pad: u32,
    /// The value it has if nobody chooses one.
    pub default: Value,
    /// The smallest number allowed.
    pub min: f64,
    /// The largest number allowed.
    pub max: f64,
    /// What it is for, in one sentence.
    pub help: Str,
}
versioned!(OptionDeclaration, up_to help: Str);

/// An option and the value it has in this configuration.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The option's name.
    pub name: Str,
    /// The kind of the value.
    pub kind: u32,
    /// Zero.
    pub pad: u32,
    /// The value.
    pub value: Value,
}
versioned!(Setting, up_to value: Value);

/// A module's part of the configuration: every option it declared, defaults filled in, checked.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// In bytes, as the core knows it.
    pub struct_size: u32,
    /// Zero.
    pub pad: u32,
    /// One per declared option.
    pub settings: Seq<Setting>,
    /// What an instance before this one kept, since the machine was booted; need not be UTF-8. Absent if
    /// none did.
    pub state: Str,
}
versioned!(Config, up_to state: Str);

/// Makes an instance. Pure: it may only look at the configuration.
pub type Create = unsafe extern "C" fn(*const Config, *const Sink, *mut *mut c_void) -> i32;
/// Looks at one snapshot.
pub type Scan = unsafe extern "C" fn(*mut c_void, *const Snapshot, *const Sink) -> i32;
/// Frees an instance.
pub type Destroy = unsafe extern "C" fn(*mut c_void);

/// [`Declaration::flags`]: on unless the configuration says otherwise.
pub const ENABLED_BY_DEFAULT: u32 = 1;
/// [`Declaration::flags`]: built with `panic = "abort"`, so that a panic would end the whole process.
pub const PANIC_ABORTS: u32 = 2;

/// What a module is, what it needs, and how to call it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Declaration {
    /// In bytes, as the module knows it.
    pub struct_size: u32,
    /// [`ENABLED_BY_DEFAULT`], [`PANIC_ABORTS`].
    pub flags: u32,
    /// The oldest minor version of the core that the module can work with.
    pub needs_minor: u32,
    /// Zero.
    pub pad: u32,
    /// In kebab-case; unique.
    pub name: Str,
    /// Of the module.
    pub version: Str,
    /// What it looks after, in one sentence.
    pub description: Str,
    /// The configuration key that switches it, such as `ENABLE_MEMLEAK_CHECK`; may be absent.
    pub flag: Str,
    /// Kernel files, as absolute paths.
    pub needs: Seq<Str>,
    /// Tunables and actions it may request.
    pub writes: Seq<Str>,
    /// What an administrator can choose.
    pub options: Seq<OptionDeclaration>,
    /// Required.
    pub create: Option<Create>,
    /// Required.
    pub scan: Option<Scan>,
    /// Required.
    pub destroy: Option<Destroy>,
}
versioned!(Declaration, up_to destroy: Option<Destroy>);

/// What is in a module library. The first 16 bytes, up to and with `count`, mean the same in every major
/// version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ModuleSet {
    /// In bytes, as the library knows it.
    pub struct_size: u32,
    /// [`MAGIC`].
    pub magic: u32,
    /// [`MAJOR`], as the library knows it.
    pub major: u16,
    /// [`MINOR`], as the library knows it.
    pub minor: u16,
    /// How many modules there are.
    pub count: u32,
    /// So many pointers to a [`Declaration`]. They, and all that they point to, live as long as the process.
    pub declarations: *const *const Declaration,
    /// With what the library was built, for people; may be absent.
    pub built_with: Str,
}
versioned!(ModuleSet, up_to built_with: Str);

/// Who loads a module library. The first 12 bytes, up to and with `minor`, mean the same in every major
/// version.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// In bytes, as the core knows it.
    pub struct_size: u32,
    /// [`MAGIC`].
    pub magic: u32,
    /// [`MAJOR`], as the core knows it.
    pub major: u16,
    /// [`MINOR`], as the core knows it.
    pub minor: u16,
    /// Zero.
    pub pad: u32,
    /// Its name and version, for people.
    pub version: Str,
}
versioned!(Host, up_to version: Str);

/// [`ENTRY`]: says what is in the library, or null if it cannot work with this core. Called once.
pub type Entry = unsafe extern "C" fn(*const Host) -> *const ModuleSet;
