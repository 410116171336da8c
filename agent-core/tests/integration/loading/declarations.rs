//! Declarations that make no sense.

use crate::loading::place::{Place, Switch};

/// A module whose declaration has one thing wrong is refused for this reason.
#[track_caller]
fn refused(test: &str, switches: &[Switch<'_>], reason: &str) {
    let place = Place::new(&format!("declared-{test}"));
    let file = place.install("bad.so", switches);

    place.assert_refused(&file, reason);
}

/// The same for its only option.
#[track_caller]
fn option_refused(test: &str, option: &str, reason: &str) {
    refused(test, &[("OPTIONS", option)], reason);
}

#[test]
fn a_module_that_lacks_a_function_is_refused() {
    for function in ["CREATE", "SCAN", "DESTROY"] {
        refused(
            "function",
            &[(function, "NULL")],
            "module \"variant\": it lacks one of create, scan and destroy",
        );
    }
}

#[test]
fn a_module_of_a_later_minor_version_is_refused() {
    refused(
        "minor",
        &[("NEEDS_MINOR", "7")],
        "module \"variant\": it needs version 1.7 of the module interface, this daemon has 1.0: a newer daemon is \
         needed",
    );
}

#[test]
fn a_name_that_is_not_utf_8_is_refused() {
    refused(
        "utf-8",
        &[("NAME", r#"AMM_S("caf\xe9")"#)],
        "module \"caf\u{fffd}\": a string in its name is not UTF-8: \"caf\u{fffd}\"",
    );
}

#[test]
fn a_name_that_is_no_table_of_the_configuration_is_refused() {
    let long = "x".repeat(65);
    for name in ["Variant", "a_b", "1st", "", "core", "a b", &long] {
        let cut = &name[..name.len().min(64)];
        let subject = if name.is_empty() {
            String::new()
        } else {
            format!("module \"{cut}\": ")
        };

        refused(
            "name",
            &[("NAME", &format!("AMM_S(\"{name}\")"))],
            &format!(
                "{subject}its name {name:?} is not in kebab-case of at most 64 letters, or it is `core`"
            ),
        );
    }
}

#[test]
fn a_list_whose_elements_are_larger_than_any_is_refused() {
    for stride in ["65537u", "0x80000000u", "0xffffffffu"] {
        let needed = format!("{{needs,2,{stride}}}");
        let size = stride.trim_end_matches('u');
        let size = size.strip_prefix("0x").map_or_else(
            || size.parse().unwrap(),
            |hex| u32::from_str_radix(hex, 16).unwrap(),
        );
        refused(
            "stride",
            &[("NEEDED", &needed)],
            &format!(
                "module \"variant\": the elements of its needs are {size} bytes long; their stride is wrong"
            ),
        );
    }
}

#[test]
fn a_string_that_is_longer_than_any_is_refused() {
    refused(
        "long-string",
        &[("DESCRIPTION", "{\"text\",(size_t)1<<40}")],
        "module \"variant\": a string in its description is 1099511627776 bytes long, at most 4096 are taken",
    );
}

/// In the daemon's own process, which a read beyond the module's memory would end.
#[test]
fn a_finding_with_a_length_that_nothing_has_is_answered_and_not_read() {
    for absurd in [
        ".text=AMM_S(\"t\"),.numbers={&f,2,0xffffffffu}",
        ".text={\"t\",(size_t)1<<40}",
        ".text=AMM_S(\"t\"),.details={\"t\",(size_t)-1}",
    ] {
        let place = Place::new("declared-absurd");
        let scanning = format!(
            "{{amm_finding f={{.struct_size=sizeof f,.severity=AMM_SEVERITY_NOTICE,.code=AMM_S(\"c\"),{absurd}}};\
             amm_say_finding(sink,AMM_SEVERITY_NOTICE,\"absurd\",\
             sink->finding(sink->context,&f)==AMM_INVALID?\"it is refused\":\"it is taken\",NULL,0);}}"
        );
        place.install("absurd.so", &[("SCANNING", &scanning)]);

        let mut daemon = place.daemon();

        daemon.until("variant: it is refused");
    }
}

#[test]
fn a_string_that_is_null_and_yet_has_a_length_is_refused() {
    refused(
        "null-string",
        &[("DESCRIPTION", "{NULL,5}")],
        "module \"variant\": a string in its description is a null pointer with a length",
    );
}

#[test]
fn a_string_that_is_far_too_long_is_refused() {
    refused(
        "longer-string",
        &[("DESCRIPTION", r#"{"x",4097}"#)],
        "module \"variant\": a string in its description is 4097 bytes long, at most 4096 are taken",
    );
}

#[test]
fn control_characters_are_refused() {
    refused(
        "control",
        &[("DESCRIPTION", r#"AMM_S("Clears\033[2J the screen")"#)],
        "module \"variant\": \"Clears\\u{1b}[2J the scree\" is longer than 4096 bytes or holds control characters",
    );
}

#[test]
fn a_flag_that_is_no_key_of_the_old_configuration_is_refused() {
    for flag in ["VARIANT", "ENABLE_", "ENABLE_variant"] {
        refused(
            "flag",
            &[("FLAG", &format!("AMM_S(\"{flag}\")"))],
            &format!(
                "module \"variant\": its flag {flag:?} is not ENABLE_ and capital letters, digits or underscores"
            ),
        );
    }
}

#[test]
fn a_need_that_could_hang_or_harm_the_daemon_is_refused_with_the_reason() {
    for (need, why) in [
        (
            "/proc/kmsg",
            "whose reading takes away what others wait for: no module is given it",
        ),
        (
            "/proc/kpageflags",
            "whose reading takes seconds on a large machine: no module is given it",
        ),
        (
            "/proc/self/root/etc/shadow",
            "which is of a process, and nothing of a process is read for modules",
        ),
        (
            "/proc/1/environ",
            "which is of a process, and nothing of a process is read for modules",
        ),
        (
            "/sys/block/zram*/mm_stat",
            "and a need is no pattern: name each file by its whole path",
        ),
    ] {
        refused(
            "harm",
            &[("NEEDS", &format!("AMM_S(\"{need}\")"))],
            &format!("module \"variant\": it needs {need:?}, {why}"),
        );
    }
}

#[test]
fn a_need_that_is_no_file_of_the_kernel_is_refused() {
    for need in [
        "meminfo",
        "/etc/shadow",
        "/proc/../etc/shadow",
        "/sys/kernel/..",
    ] {
        refused(
            "need",
            &[("NEEDS", &format!("AMM_S(\"{need}\")"))],
            &format!(
                "module \"variant\": it needs {need:?}, which is not the path of a file of the kernel below /proc or \
                 /sys"
            ),
        );
    }
}

#[test]
fn a_need_of_a_process_is_said_to_be_that() {
    for need in [
        "/proc/self/status",
        "/proc/thread-self/maps",
        "/proc/1/environ",
    ] {
        refused(
            "process",
            &[("NEEDS", &format!("AMM_S(\"{need}\")"))],
            &format!(
                "module \"variant\": it needs {need:?}, which is of a process, and nothing of a \
                 process is read for modules"
            ),
        );
    }
}

#[test]
fn all_that_is_wrong_with_a_declaration_is_said_at_once() {
    refused(
        "several",
        &[("NEEDS", "AMM_S(\"/proc/self/status\"), AMM_S(\"meminfo\")")],
        "module \"variant\": it needs \"/proc/self/status\", which is of a process, and nothing of a \
                 process is read for modules; it needs \"meminfo\", which is not the path of a file of the kernel below /proc or /sys",
    );
}

#[test]
fn an_option_of_an_unknown_kind_is_refused() {
    option_refused(
        "kind",
        r#"{ .name = AMM_S("limit-mib"), .kind = 9 }"#,
        "module \"variant\": its option \"limit-mib\" is of kind 9, which this daemon does not know",
    );
}

#[test]
fn a_default_out_of_range_is_refused() {
    option_refused(
        "default",
        r#"{ .name = AMM_S("limit-mib"), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(11), .max = 10 }"#,
        "module \"variant\": its option \"limit-mib\": its default 11 is not in its range from 0 to 10",
    );
    option_refused(
        "default",
        r#"{ .name = AMM_S("share"), .kind = AMM_FLOAT, .default_ = AMM_FLOAT_VALUE(0.0 / 0.0), .max = 10 }"#,
        "module \"variant\": its option \"share\": its default nan is not in its range from 0 to 10",
    );
}

#[test]
fn an_empty_range_is_refused() {
    option_refused(
        "range",
        r#"{ .name = AMM_S("share"), .kind = AMM_FLOAT, .min = 10, .max = 1.5 }"#,
        "module \"variant\": its option \"share\": its range from 10 to 1.5 is empty",
    );
    option_refused(
        "range",
        r#"{ .name = AMM_S("share"), .kind = AMM_FLOAT, .min = 0.0 / 0.0, .max = 1 }"#,
        "module \"variant\": its option \"share\": its range from NaN to 1 is empty",
    );
}

#[test]
fn an_option_that_is_no_key_of_the_configuration_is_refused() {
    option_refused(
        "option-name",
        r#"{ .name = AMM_S("limit_mib"), .kind = AMM_BOOLEAN }"#,
        "module \"variant\": its option \"limit_mib\": its name is not in kebab-case of at most 64 letters",
    );
}

#[test]
fn two_options_of_one_name_are_refused() {
    option_refused(
        "twice",
        r#"{ .name = AMM_S("on"), .kind = AMM_BOOLEAN }, { .name = AMM_S("on"), .kind = AMM_BOOLEAN }"#,
        "module \"variant\": it has two options \"on\"",
    );
}

#[test]
fn far_too_many_options_are_refused() {
    let option = r#"{ .name = AMM_S("on"), .kind = AMM_BOOLEAN },"#;
    option_refused(
        "options",
        &option.repeat(257),
        "module \"variant\": it has 257 options, at most 256 are taken",
    );
}
