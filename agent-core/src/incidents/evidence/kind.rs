//! The places where is looked: their files, what they tell, and how precise that is.

use serde::{Deserialize, Serialize};

/// A source of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Memory by the line of the kernel's source that allocated it.
    AllocInfo,
    /// Pages by the stack of calls that allocated them.
    PageOwner,
    /// Objects of known size that processes hold: BPF maps, DMA buffers, rings of `io_uring`.
    Sizes,
    /// Rings of packet sockets.
    PacketRings,
    /// Slab caches.
    Slab,
    /// Areas of vmalloc.
    Vmalloc,
    /// DMA buffers, by the driver that exports them.
    DmaBuffers,
    /// Areas of the contiguous memory allocator.
    Cma,
    /// Compressed swap in memory.
    Zram,
    /// Page tables and threads of processes.
    Processes,
    /// Pipes and sockets that processes hold.
    Descriptors,
    /// The data that waits in sockets of TCP and UDP.
    Queues,
    /// Sockets by protocol.
    Sockets,
    /// The memory that services are charged for.
    Services,
    /// All pages by their flags.
    Census,
}

impl SourceKind {
    /// All of them, the most precise first.
    pub const ALL: [Self; 15] = [
        Self::AllocInfo,
        Self::PageOwner,
        Self::Sizes,
        Self::PacketRings,
        Self::Slab,
        Self::Vmalloc,
        Self::DmaBuffers,
        Self::Cma,
        Self::Zram,
        Self::Processes,
        Self::Descriptors,
        Self::Queues,
        Self::Sockets,
        Self::Services,
        Self::Census,
    ];

    /// Returns how vaguely it names an owner; 0 is the most precise.
    pub(super) const fn vagueness(self) -> u8 {
        match self {
            Self::AllocInfo => 0,
            Self::PageOwner => 1,
            Self::Sizes | Self::PacketRings => 2,
            Self::Slab | Self::Vmalloc | Self::DmaBuffers | Self::Cma | Self::Zram => 3,
            Self::Processes | Self::Descriptors | Self::Queues => 4,
            Self::Sockets => 5,
            Self::Services => 6,
            Self::Census => 7,
        }
    }

    /// The kernel file, or several.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::AllocInfo => "/proc/allocinfo",
            Self::PageOwner => "/sys/kernel/debug/page_owner_stacks",
            Self::Sizes => "/proc/PID/fdinfo",
            Self::PacketRings => "/proc/net/packet, /proc/PID/maps",
            Self::Slab => "/proc/slabinfo",
            Self::Vmalloc => "/proc/vmallocinfo",
            Self::DmaBuffers => "/sys/kernel/dmabuf",
            Self::Cma => "/sys/kernel/mm/cma",
            Self::Zram => "/sys/block/zram*/mm_stat",
            Self::Processes => "/proc/PID/status",
            Self::Descriptors => "/proc/PID/fd",
            Self::Queues => "/proc/net/tcp, udp",
            Self::Sockets => "/proc/net/sockstat",
            Self::Services => "memory.stat of cgroups",
            Self::Census => "/proc/kpageflags",
        }
    }

    /// Returns the kind of owner that it can name.
    #[must_use]
    pub const fn tells(self) -> &'static str {
        match self {
            Self::AllocInfo => "the line of the kernel's source that allocated",
            Self::PageOwner => "the calls that allocated pages",
            Self::Sizes => "BPF maps, DMA buffers and io_uring rings of processes",
            Self::PacketRings => "rings of packet sockets",
            Self::Slab => "the slab cache",
            Self::Vmalloc => "the function that called vmalloc",
            Self::DmaBuffers => "the driver that exports DMA buffers",
            Self::Cma => "areas of contiguous memory",
            Self::Zram => "compressed swap in memory",
            Self::Processes => "page tables and threads of processes",
            Self::Descriptors => "pipes and sockets of processes",
            Self::Queues => "what waits in the sockets of processes",
            Self::Sockets => "sockets by protocol",
            Self::Services => "the service that is charged",
            Self::Census => "all pages, by their flags",
        }
    }

    /// Returns why it is not there, and what could be done.
    pub(super) const fn absence(self) -> &'static str {
        match self {
            Self::AllocInfo => {
                "this kernel was not built with CONFIG_MEM_ALLOC_PROFILING (6.10 or newer); with it, sysctl.vm.mem_profiling=1 at boot switches it on"
            }
            Self::PageOwner => {
                "this kernel has no page_owner_stacks (6.9 or newer, CONFIG_PAGE_OWNER), or was not booted with page_owner=on; the file page_owner itself is never read, as it has several lines for each page"
            }
            Self::Sizes | Self::Descriptors | Self::Processes => {
                "no process is to be seen in /proc"
            }
            Self::PacketRings => "this kernel was not built with CONFIG_PACKET",
            Self::Slab => "this kernel has no slabinfo (CONFIG_SLUB_DEBUG)",
            Self::Vmalloc => "this kernel shows no areas of vmalloc",
            Self::DmaBuffers => {
                "this kernel was not built with CONFIG_DMABUF_SYSFS_STATS, and /sys/kernel/debug/dma_buf is not there; the buffers of processes are still seen in /proc/PID/fdinfo"
            }
            Self::Cma => "this kernel has no area of contiguous memory, or not CONFIG_CMA_SYSFS",
            Self::Zram => "there is no zram device",
            Self::Queues | Self::Sockets => "this kernel was not built with CONFIG_INET",
            Self::Services => {
                "no memory controller of cgroups is mounted below /sys/fs/cgroup, or only with version 1 and without kernel memory (cgroup.memory=nokmem)"
            }
            Self::Census => "this kernel was not built with CONFIG_PROC_PAGE_MONITOR",
        }
    }
}
