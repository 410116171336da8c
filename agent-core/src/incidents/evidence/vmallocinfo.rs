//! `/proc/vmallocinfo`: which functions of the kernel hold areas of vmalloc.

use std::borrow::Cow;

use adaptivemm_module_api::units::{PageSize, Pages};

use super::budget::Halt;
use super::comparison::{Certainty, Class};
use super::holdings::Holdings;
use super::meter::Meter;

const PATH: &str = "/proc/vmallocinfo";

/// Functions whose areas are kernel stacks, which are a class of their own.
const STACKS: [&str; 7] = [
    "kernel_clone",
    "dup_task_struct",
    "copy_process",
    "alloc_thread_stack_node",
    "fork_idle",
    "create_io_thread",
    "user_mode_thread",
];

/// Adds up areas by caller, never by address.
pub(super) fn collect(
    meter: &mut Meter<'_>,
    page_size: PageSize,
    found: &mut Holdings,
) -> Result<(), Halt> {
    meter.lines(PATH, |line| {
        if let Some(area) = area(line, page_size) {
            found.add(Some(area.class), area.certainty, &area.owner, area.bytes);
        }
    })
}

/// An area that holds pages.
#[derive(Debug, PartialEq, Eq)]
struct Area<'a> {
    /// The function, and the module that it is of.
    owner: Cow<'a, str>,
    class: Class,
    certainty: Certainty,
    bytes: u64,
}

/// `from-to size caller+offset/length pages=N kind...`; `None` if it holds no pages.
fn area(line: &str, page_size: PageSize) -> Option<Area<'_>> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let size: u64 = words.next()?.parse().ok()?;
    let caller = words.next()?.split('+').next()?;
    let (mut pages, mut kind, mut module) = (None, None, None);
    for word in words {
        match word {
            _ if word.starts_with('[') => module = Some(word),
            "vmalloc" | "vmap" => kind = Some(word),
            "ioremap" | "unpurged" => return None,
            _ => pages = word.strip_prefix("pages=").or(pages),
        }
    }
    let pages = pages.and_then(|count| count.parse().ok());
    if STACKS.contains(&caller) {
        return None;
    }
    let (class, certainty) = match (kind?, pages) {
        // Addresses alone, such as those of per-CPU memory.
        ("vmalloc", None) => return None,
        // The kernel notes this beside per-CPU memory, on behalf of whoever has that.
        ("vmalloc", _) if caller == "pcpu_create_chunk" => (Class::Vmalloc, Certainty::Charged),
        ("vmalloc", _) => (Class::Vmalloc, Certainty::Exact),
        // Pages that were allocated otherwise and only mapped here: `VmallocUsed` does not count them.
        (_, Some(_)) => (Class::Unaccounted, Certainty::Exact),
        (_, None) => (Class::Unaccounted, Certainty::AtMost),
    };
    // Without the number of pages, the size includes a page that guards its end.
    let bytes = pages.map_or(size.saturating_sub(page_size.bytes().get()), |count| {
        Pages::new(count).bytes(page_size).get()
    });
    let owner = match module {
        Some(module) => Cow::Owned(format!("{caller} {module}")),
        None => Cow::Borrowed(caller),
    };
    Some(Area {
        owner,
        class,
        certainty,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<(String, Class, u64)> {
        let area = area(line, PageSize::FOUR_KIB)?;
        Some((area.owner.into_owned(), area.class, area.bytes / 4096))
    }

    #[test]
    fn an_area_belongs_to_its_caller() {
        let lines = [
            "0x000000008e5fffdc-0x00000000cc1b3cd5 2105344 htab_map_alloc+0x2e4/0x5a0 pages=513 vmalloc vpages N0=513",
            "0x00000000c9cc6ec3-0x00000000355556a8   20480 irq_init_percpu_irqstack+0xca/0x100 vmap",
            "0xffffb3a640000000-0xffffb3a640405000 4214784 leak+0x10/0x20 [memleak_sim] pages=1028 vmalloc N0=1028",
            "0x0-0x0   12288 bpf_ringbuf_alloc+0x1/0x2 pages=2 vmap",
        ];

        let expected = [
            ("htab_map_alloc", Class::Vmalloc, 513),
            ("irq_init_percpu_irqstack", Class::Unaccounted, 4),
            ("leak [memleak_sim]", Class::Vmalloc, 1028),
            ("bpf_ringbuf_alloc", Class::Unaccounted, 2),
        ];
        let expected = expected.map(|(owner, class, pages)| Some((owner.to_owned(), class, pages)));
        assert_eq!(lines.map(parse), expected);
    }

    #[test]
    fn what_holds_no_pages_or_a_stack_is_passed_over() {
        let refused = [
            "",
            "0x0-0x0",
            "0x0-0x0 8192",
            "0x0-0x0   20480 unpurged vm_area",
            "0x0-0x0    8192 acpi_os_map_iomem+0x1bc/0x1e0 phys=0x00000000000a0000 ioremap",
            "0x0-0x0   20480 kernel_clone+0x94/0x3e0 pages=4 vmalloc N0=4",
            "0x0-0x0 2097152 pcpu_get_vm_areas+0x0/0x1050 vmalloc",
            "0x0-0x0 x caller+0x0/0x1 vmalloc",
        ];

        assert_eq!(refused.map(parse), [const { None }; 8]);
    }
}
