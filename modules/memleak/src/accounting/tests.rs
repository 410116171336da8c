use proptest::prelude::*;

use super::*;

#[expect(clippy::unnecessary_wraps, reason = "fields are optional")]
fn kib(kib: u64) -> Option<Bytes> {
    Some(Bytes::from_kib(kib))
}

fn figures(meminfo: &Meminfo) -> Figures {
    Figures {
        meminfo: *meminfo,
        vmstat: Ok(Vmstat::default()),
        zones: Ok(Zones::default()),
        hugepages: Bytes::default(),
        page_size: PageSize::FOUR_KIB,
    }
}

/// A machine of 1000 kB, all of it free, whose kernel has the fields that all kernels have.
fn empty_machine() -> Meminfo {
    Meminfo {
        mem_total: kib(1000),
        mem_free: kib(1000),
        buffers: kib(0),
        cached: kib(0),
        active_anon: kib(0),
        inactive_anon: kib(0),
        active_file: kib(0),
        inactive_file: kib(0),
        unevictable: kib(0),
        anon_pages: kib(0),
        s_reclaimable: kib(0),
        s_unreclaim: kib(0),
        kernel_stack: kib(0),
        page_tables: kib(0),
        ..Meminfo::default()
    }
}

/// Every part of the exact accounting is another power of two, so that their sum says which are in it.
fn powers_of_two() -> Figures {
    let meminfo = Meminfo {
        mem_total: kib(1 << 21),
        anon_pages: kib(1),
        cached: kib(1 << 1),
        buffers: kib(1 << 2),
        mem_free: kib(1 << 3),
        mem_available: kib(1 << 21),
        k_reclaimable: kib(1 << 4),
        s_unreclaim: kib(1 << 5),
        vmalloc_used: kib(1 << 6),
        page_tables: kib(1 << 7),
        sec_page_tables: kib(1 << 8),
        percpu: kib(1 << 9),
        hugetlb: kib(1 << 10),
        hardware_corrupted: kib(1 << 13),
        writeback_tmp: kib(1 << 14),
        bounce: kib(1 << 15),
        quicklists: kib(1 << 16),
        gpu_active: kib(1 << 17),
        gpu_reclaim: kib(1 << 18),
        swap_cached: kib(0),
        active_anon: kib(1),
        inactive_anon: kib(1),
        active_file: kib(1),
        inactive_file: kib(1),
        unevictable: kib(3),
        s_reclaimable: kib(15),
        kernel_stack: kib(64),
        cma_total: kib(5),
        balloon: kib(400),
    };
    Figures {
        vmstat: Ok(Vmstat {
            isolated: Pages::new(25),
            zspages: Pages::new(1 << 9),
            memmap: Pages::new(1 << 10),
            balloon: Pages::new(1 << 11),
            hugepages_allocated: 0,
        }),
        zones: Ok(Zones {
            per_cpu: Pages::new(1 << 17),
            managed: Pages::new(1 << 18),
            present: Pages::new((1 << 18) + 100),
        }),
        hugepages: Bytes::from_kib(7),
        ..figures(&meminfo)
    }
}

#[test]
fn the_worked_example_of_the_seed_comes_out_to_the_digit() {
    let meminfo = Meminfo {
        mem_total: kib(790_680_500),
        mem_free: kib(785_261_676),
        buffers: kib(751_908),
        cached: kib(1_710_116),
        swap_cached: kib(0),
        unevictable: kib(16_576),
        anon_pages: kib(83_392),
        k_reclaimable: kib(331_748),
        s_unreclaim: kib(281_952),
        kernel_stack: kib(15_168),
        page_tables: kib(2_148),
        sec_page_tables: kib(0),
        cma_total: kib(0),
        ..Meminfo::default()
    };

    assert_eq!(seed(&figures(&meminfo)).map(Balance::kib), Ok(2_225_816));
}

#[test]
fn the_seed_counts_its_thirteen_fields_and_no_others() {
    let counted = 1 + 2 + 4 + 8 + 16 + 32 + 128 + 256 + 64 + 5 + 3 + 7;

    assert_eq!(
        seed(&powers_of_two()).map(Balance::kib),
        Ok((1 << 21) - counted)
    );
}

#[test]
fn the_seed_is_taken_to_the_letter_where_there_is_no_kreclaimable() {
    let meminfo = Meminfo {
        mem_free: kib(100),
        s_reclaimable: kib(850),
        ..empty_machine()
    };

    assert_eq!(seed(&figures(&meminfo)).map(Balance::kib), Ok(900));
}

#[test]
fn the_seed_needs_the_memory_and_what_is_free_of_it() {
    let without_total = Meminfo {
        mem_total: None,
        ..empty_machine()
    };
    let with_nothing = Meminfo {
        mem_total: kib(0),
        ..empty_machine()
    };
    let without_free = Meminfo {
        mem_free: None,
        ..empty_machine()
    };
    let error = |meminfo: Meminfo| seed(&figures(&meminfo)).unwrap_err().to_string();

    assert_eq!(
        error(without_total),
        "/proc/meminfo has no MemTotal, or it is 0"
    );
    assert_eq!(
        error(with_nothing),
        "/proc/meminfo has no MemTotal, or it is 0"
    );
    assert_eq!(error(without_free), "/proc/meminfo has no MemFree");
}

#[test]
fn the_exact_accounting_counts_every_part_once() {
    let exact = exact(&powers_of_two()).unwrap();

    assert_eq!(exact.parts.sum(), Bytes::from_kib((1 << 20) - 1));
    assert_eq!(exact.unaccounted.kib(), (1 << 20) + 1);
    assert_eq!(exact.orphans.kib(), 100);
    assert_eq!(exact.per_cpu, Bytes::from_kib(1 << 19));
    assert_eq!(exact.managed, Bytes::from_kib(1 << 20));
}

#[test]
fn the_parts_are_named_by_what_an_administrator_calls_them() {
    let parts = exact(&powers_of_two()).unwrap().parts;

    assert_eq!(
        parts,
        Parts {
            free: Bytes::from_kib((1 << 19) + 8),
            page_cache: Bytes::from_kib(6),
            programs: Bytes::from_kib(1),
            huge_pages: Bytes::from_kib(1024),
            slab: Bytes::from_kib(48),
            other: Bytes::from_kib(64 + 128 + 256 + 512 + 2048 + 4096 + (0b11_1111 << 13)),
        }
    );
}

#[test]
fn an_old_kernel_without_the_newer_fields_is_exactly_accounted_for() {
    let meminfo = Meminfo {
        mem_free: kib(100),
        s_reclaimable: kib(300),
        kernel_stack: kib(50),
        vmalloc_used: kib(0),
        ..empty_machine()
    };
    let with_pools = Figures {
        hugepages: Bytes::from_kib(500),
        ..figures(&meminfo)
    };

    assert_eq!(
        exact(&with_pools).map(|exact| exact.unaccounted.kib()),
        Ok(50)
    );
}

#[test]
fn mlocked_memory_and_per_cpu_lists_mislead_the_seed_only() {
    let meminfo = Meminfo {
        mem_free: kib(500),
        anon_pages: kib(300),
        unevictable: kib(300),
        ..empty_machine()
    };
    let machine = Figures {
        zones: Ok(Zones {
            per_cpu: Pages::new(50),
            ..Zones::default()
        }),
        ..figures(&meminfo)
    };

    assert_eq!(seed(&machine).map(Balance::kib), Ok(-100));
    assert_eq!(exact(&machine).map(|exact| exact.unaccounted.kib()), Ok(0));
}

#[test]
fn only_as_much_of_the_swap_cache_counts_as_the_lists_hold_beyond_what_is_owned() {
    let parts = |listed, swap_cached| {
        let meminfo = Meminfo {
            anon_pages: kib(100),
            inactive_anon: kib(listed),
            swap_cached: kib(swap_cached),
            ..empty_machine()
        };
        let exact = exact(&figures(&meminfo)).unwrap();
        (exact.parts.programs.kib(), exact.orphans.kib())
    };

    assert_eq!(parts(100, 40), (100, 0));
    assert_eq!(parts(130, 40), (130, 0));
    assert_eq!(parts(150, 40), (140, 10));
    assert_eq!(parts(90, 40), (100, -10));
}

#[test]
fn stacks_are_taken_to_be_in_vmalloc_memory_unless_they_do_not_fit() {
    let other = |stacks, vmalloc| stacks_and_vmalloc(Bytes::new(stacks), Bytes::new(vmalloc)).get();

    assert_eq!(other(10, 100), 100);
    assert_eq!(other(10, 10), 10);
    assert_eq!(other(10, 9), 19);
    assert_eq!(other(10, 0), 10);
}

#[test]
fn a_balloon_counts_only_if_it_cannot_have_been_taken_out_of_the_total() {
    let other = |balloon, present| {
        let meminfo = Meminfo {
            balloon: kib(balloon),
            ..empty_machine()
        };
        let zones = Zones {
            managed: Pages::new(250),
            present: Pages::new(present),
            ..Zones::default()
        };
        let machine = Figures {
            zones: Ok(zones),
            ..figures(&meminfo)
        };
        exact(&machine).unwrap().parts.other.kib()
    };

    assert_eq!(other(40, 260), 0);
    assert_eq!(other(41, 260), 41);
    assert_eq!(other(41, 0), 41);
}

#[test]
fn without_what_every_kernel_has_nothing_is_exact() {
    let without_vmstat = Figures {
        vmstat: Err(ScanError::new("there is no /proc/vmstat")),
        ..powers_of_two()
    };
    let without_zones = Figures {
        zones: Err(ScanError::new("there is no /proc/zoneinfo")),
        ..powers_of_two()
    };
    let without_list = figures(&Meminfo {
        active_file: None,
        ..empty_machine()
    });
    let error = |machine| exact(&machine).unwrap_err().to_string();

    assert_eq!(error(without_vmstat), "there is no /proc/vmstat");
    assert_eq!(error(without_zones), "there is no /proc/zoneinfo");
    assert_eq!(error(without_list), "/proc/meminfo has no Active(file)");
}

#[test]
fn sources_may_differ_by_a_twentieth_of_memory() {
    let total = Bytes::new(1000);
    let contradiction = |free, managed| {
        let exact = Exact {
            parts: Parts {
                free: Bytes::new(free),
                ..Parts::default()
            },
            managed: Bytes::new(managed),
            ..Exact::default()
        };
        exact.contradiction(total).map(|found| found.to_string())
    };

    assert_eq!(contradiction(1050, 1050), None);
    assert_eq!(
        contradiction(1051, 1050).unwrap(),
        "1.0 KiB accounted for, but MemTotal is 1000 B"
    );
    assert_eq!(
        contradiction(1050, 1051).unwrap(),
        "the zones of /proc/zoneinfo manage 1.0 KiB, but MemTotal is 1000 B, as in a container"
    );
}

#[test]
fn zones_that_manage_less_than_there_is_are_no_contradiction() {
    let lazy = Exact {
        managed: Bytes::from_kib(4_810_964),
        ..Exact::default()
    };

    assert_eq!(lazy.contradiction(Bytes::from_kib(24_684_092)), None);
}

proptest! {
    #[test]
    fn no_numbers_make_it_panic(values: [u64; 20], pages: [u64; 6]) {
        let some = |index: usize| Some(Bytes::new(values[index]));
        let meminfo = Meminfo {
            mem_total: some(0),
            mem_free: some(1),
            buffers: some(2),
            cached: some(3),
            swap_cached: some(4),
            active_anon: some(5),
            inactive_anon: some(6),
            active_file: some(7),
            inactive_file: some(8),
            unevictable: some(9),
            anon_pages: some(10),
            s_reclaimable: some(11),
            s_unreclaim: some(12),
            kernel_stack: some(13),
            page_tables: some(14),
            vmalloc_used: some(15),
            cma_total: some(16),
            balloon: some(17),
            hugetlb: some(18),
            ..Meminfo::default()
        };
        let [isolated, zspages, memmap, per_cpu, managed, present] = pages.map(Pages::new);
        let machine = Figures {
            vmstat: Ok(Vmstat { isolated, zspages, memmap, ..Vmstat::default() }),
            zones: Ok(Zones { per_cpu, managed, present }),
            hugepages: Bytes::new(values[19]),
            ..figures(&meminfo)
        };

        let _ = (seed(&machine), exact(&machine).map(|exact| exact.contradiction(Bytes::new(values[0]))));
    }
}
