//! What an administrator can do next, by the kind of memory that grew.

use super::phrases;
use super::view::{self, View};
use crate::incidents::State;
use crate::incidents::evidence::{Certainty, Class, Explanation};
use crate::incidents::owner::Owner;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Why, and how to read the answer.
    pub(super) text: String,
    /// Lines for a shell.
    pub(super) commands: Vec<String>,
}

impl Step {
    fn new(text: &str, commands: &[&str]) -> Self {
        Self {
            text: text.to_owned(),
            commands: commands.iter().map(|&command| command.to_owned()).collect(),
        }
    }
}

/// What to do first, and then.
pub(super) fn of(view: &View<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if !view.incident.is_about_kernel_memory() {
        // What to do about it only the module knows.
        return hand_on(view).into_iter().collect();
    }
    if view.incident.state() == State::Restarted {
        let text = "The machine was restarted, which gave the memory back. If it happens again, compare both incidents.";
        return vec![Step::new(text, &["adaptivemmd incidents"])];
    }
    if view.incident.over.is_some() {
        let text = "The memory came back. Nothing has to be done now; if it happens again, compare both incidents.";
        return vec![Step::new(text, &["adaptivemmd incidents"])];
    }
    steps.extend(suspects(view));
    if view.is_subject_known && !is_known(view) {
        let looks = of_class(view.subject);
        steps.extend(looks.into_iter().skip(usize::from(is_place_known(view))));
    }
    steps.extend(deadline(view));
    steps.extend(hand_on(view));
    steps
}

/// Whether a process or a service explains so much, and so surely, that nobody has to look further.
fn is_known(view: &View<'_>) -> bool {
    match surely(view) {
        Some(Owner::Process { .. }) => true,
        Some(Owner::Service(path)) => may_be_restarted(unit_of(path)),
        _ => false,
    }
}

/// Whether the slab cache, or the function that allocates, is known: then nobody has to look for it, which is the first thing one
/// would do.
fn is_place_known(view: &View<'_>) -> bool {
    surely(view).is_some_and(|owner| {
        matches!(
            (view.subject, owner),
            (Class::Slab, Owner::Cache(_)) | (Class::Vmalloc, Owner::Code(_))
        )
    })
}

/// Who explains so much, and so surely, that it can hardly be another.
fn surely<'a>(view: &View<'a>) -> Option<Owner<'a>> {
    let first = view.incident.comparison.as_ref()?.explanations.first()?;
    let is_sure = first.certainty != Certainty::AtMost && first.share_percent >= 80.0;
    is_sure.then(|| Owner::from_explanation(first))
}

/// Who explains most, and which modules are new.
fn suspects(view: &View<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(comparison) = &view.incident.comparison else {
        return steps;
    };
    if let Some(first) = comparison
        .explanations
        .first()
        .filter(|first| first.share_percent >= 20.0)
    {
        steps.extend(of_owner(first, &view.incident.machine.kernel));
    }
    if let Some(modules) = view::loaded(comparison) {
        let text = format!(
            "These kernel modules were loaded while memory grew: {modules}. If one is a driver that can be spared for \
             a moment, unload it in a quiet hour and see whether the memory comes back."
        );
        steps.push(Step {
            text,
            commands: Vec::new(),
        });
    }
    steps
}

/// How to look closer at an owner. Only a plain name gets into a command.
fn of_owner(explanation: &Explanation, kernel: &str) -> Option<Step> {
    if explanation.partial {
        return Some(counted_in_part(explanation));
    }
    match Owner::from_explanation(explanation) {
        Owner::Cache(cache) => plain(cache).map(of_cache),
        Owner::Service(path) => of_service(path),
        Owner::Process { what, name, note } => Some(of_process(what, name, note)),
        // The allocator itself, whose bugs nobody need look for: those who ask it are many.
        Owner::Code(code) if code.starts_with("pcpu_") => {
            let Step { text, commands } = per_cpu();
            let text = format!(
                "{} allocates on behalf of others. {text}",
                phrases::name(code),
            );
            Some(Step { text, commands })
        }
        Owner::Code(code) => {
            let text = format!(
                "The kernel allocates it at {}. Look for that among the known bugs of {} and of its drivers.",
                phrases::name(code),
                phrases::name(kernel),
            );
            Some(Step {
                text,
                commands: Vec::new(),
            })
        }
        Owner::Kernel(_) | Owner::Unknown(_) => None,
    }
}

fn of_cache(cache: &str) -> Step {
    let text = format!(
        "See who allocates from {cache}. Booted with slab_debug=U,{cache}, the kernel notes it (older kernels: \
         slub_debug)."
    );
    let commands = vec![
        format!("ls -l /sys/kernel/slab/{cache}"),
        format!("cat /sys/kernel/debug/slab/{cache}/alloc_traces | head -60"),
    ];
    Step { text, commands }
}

/// Nobody is to be restarted for what may not even have grown.
fn counted_in_part(explanation: &Explanation) -> Step {
    let text = format!(
        "Do nothing about {} yet: {} was not read to the end, before or now, so that it may have held as much all the \
         time. Look as root, which has no such limits, or give the daemon more time: evidence-budget-ms in [core].",
        phrases::name(&explanation.owner),
        phrases::name(&explanation.source),
    );
    Step::new(&text, &["adaptivemmd incidents show"])
}

/// The program, or what keeps the machine together, whose restart does more harm than a leak: sessions, containers, or the
/// machine itself end with it.
fn is_critical(unit: &str) -> bool {
    const UNITS: [&str; 24] = [
        "init",
        "systemd",
        "dbus",
        "dbus-daemon",
        "dbus-broker",
        "dbus-broker-lau",
        "kubelet",
        "containerd",
        "dockerd",
        "docker",
        "crio",
        "libvirtd",
        "virtqemud",
        "auditd",
        "iscsid",
        "multipathd",
        "NetworkManager",
        "gdm",
        "sddm",
        "lightdm",
        "corosync",
        "pacemaker",
        "pacemakerd",
        "display-manager",
    ];
    let name = unit.strip_suffix(".service").unwrap_or(unit);
    UNITS.contains(&name)
        || name.starts_with("systemd-")
        || name.starts_with("user@")
        || name == "(sd-pam)"
}

/// Whether a control group can be restarted by itself, and that may be advised: neither a slice, which has all services in
/// it, nor a scope, which nobody can start again.
fn may_be_restarted(unit: &str) -> bool {
    unit.ends_with(".service") && !is_critical(unit)
}

fn look_inside(path: &str) -> Step {
    let text = format!(
        "{} is charged for it. That is no program that can be restarted: look inside, at the programs and groups in it.",
        phrases::name(path),
    );
    let unit = plain(unit_of(path));
    let look = unit.map(|unit| format!("systemctl status {unit}"));
    let commands = look
        .into_iter()
        .chain(["systemd-cgtop --order=memory --iterations=1".to_owned()]);
    Step {
        text,
        commands: commands.collect(),
    }
}

fn unit_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn of_service(path: &str) -> Option<Step> {
    let unit = unit_of(path);
    if !may_be_restarted(unit) {
        return Some(look_inside(path));
    }
    let unit = plain(unit)?;
    let text = format!(
        "Restart {unit} in a quiet hour. If the memory comes back, it or what it uses leaks."
    );
    let commands = vec![format!("systemctl status {unit}")];
    Some(Step { text, commands })
}

fn of_process(what: &str, name: &str, note: &str) -> Step {
    let held = if what.is_empty() { "it" } else { what };
    let remedy = if is_critical(name) {
        "if not, it leaks: look for that among its known bugs. The machine needs it, so do not restart it by itself"
    } else {
        "if not, a restart of it gives the memory back"
    };
    let text = format!(
        "{} holds {}{}. That may be what it is made for; {remedy}.",
        phrases::name(name),
        phrases::name(held),
        phrases::name(note),
    );
    let command = plain(name).map(|name| format!("ps -o pid,lstart,args -C {name}"));
    Step {
        text,
        commands: command.into_iter().collect(),
    }
}

/// A name that means nothing to a shell.
fn plain(name: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:@".contains(c);
    let is_harmless =
        !name.is_empty() && name.len() <= 60 && !name.starts_with('-') && !name.contains("..");
    (is_harmless && name.chars().all(is_plain)).then_some(name)
}

fn of_class(class: Class) -> Vec<Step> {
    match class {
        Class::Unaccounted => unaccounted(),
        Class::Orphans => vec![Step::new(
            "Pages of files that are gone, which something still holds: direct I/O, RDMA, VFIO or io_uring. What was \
             acquired and not released is held now; the processes below are those that can hold it.",
            &[
                "grep nr_foll_pin /proc/vmstat",
                "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -E 'io_uring|vfio|infiniband'",
            ],
        )],
        Class::Slab => vec![
            Step::new(
                "See which cache is largest, and look again in some minutes.",
                &["slabtop -o -s c | head -20"],
            ),
            Step::new(
                "See who allocates it: the call that is seen often and has no counterpart that frees.",
                &[
                    "perf record -a -g -e kmem:kmalloc,kmem:kmem_cache_alloc sleep 10",
                    "perf report --no-children --stdio | head -60",
                ],
            ),
        ],
        Class::Vmalloc => vec![Step::new(
            "See which function of the kernel holds most. Its name, or that of its module in brackets, says who it is.",
            &[
                "awk '{s[$3]+=$2} END {for (f in s) print s[f], f}' /proc/vmallocinfo |\n  sort -rn | head",
            ],
        )],
        Class::PerCpu => vec![per_cpu()],
        Class::PageTables => vec![Step::new(
            "See which processes have the largest page tables. One that maps much and uses little is enough.",
            &["grep VmPTE /proc/[0-9]*/status | sort -k2 -rn | head"],
        )],
        Class::Stacks => vec![Step::new(
            "See which processes have most threads, and whether the threads of the kernel are many.",
            &[
                "ps -eo nlwp,pid,comm --sort=-nlwp | head",
                "ps --ppid 2 -o comm | sort | uniq -c | sort -rn | head",
            ],
        )],
    }
}

fn per_cpu() -> Step {
    Step::new(
        "Per-CPU memory is mostly that of control groups that were removed but are still held, of BPF maps, or of network \
         devices. See which of them are many.",
        &[
            "cat /sys/fs/cgroup/cgroup.stat",
            "bpftool map | grep -c percpu",
            "ip -br link | wc -l",
        ],
    )
}

fn unaccounted() -> Vec<Step> {
    vec![
        Step::new(
            "See whether the network or pipes hold it: buffers of sockets (in pages), packet rings, full pipes.",
            &[
                "cat /proc/net/sockstat",
                "ss -tmi | head -40",
                "cat /proc/net/packet",
            ],
        ),
        Step::new(
            "Ask the kernel who allocated it. allocinfo is there from 6.10 on, if the kernel was built with it; \
             page_owner_stacks from 6.9 on, after a boot with page_owner=on.",
            &[
                "sort -rn /proc/allocinfo | head -20",
                "head -60 /sys/kernel/debug/page_owner_stacks/show_stacks",
            ],
        ),
        Step::new(
            "With XFS, make sure that it is no cache of metadata. This empties caches and slows the machine for a \
             while: if the memory comes back, there is no leak.",
            &["grep xfs /proc/mounts && echo 2 > /proc/sys/vm/drop_caches"],
        ),
    ]
}

/// A restart is what always helps; until when it can wait is what matters.
fn deadline(view: &View<'_>) -> Option<Step> {
    let forecast = view.outlook.forecast?;
    let (least, _) = forecast.exhausted_in()?;
    let text = if phrases::is_near(least) {
        let at = view.calendar.moment(forecast.at + least);
        format!("If nothing else helps, restart the machine in a quiet hour, before {at}.")
    } else {
        "There is time. If nothing else helps, a restart of the machine gives the memory back."
            .to_owned()
    };
    Some(Step {
        text,
        commands: Vec::new(),
    })
}

fn hand_on(view: &View<'_>) -> Option<Step> {
    let id = plain(&view.incident.id)?;
    let text = "To hand it on: all that is known, in one file. --redact leaves out the names of the machine, of \
                processes and of services.";
    let file = if view.incident.is_about_kernel_memory() {
        "leak"
    } else {
        "incident"
    };
    let command = format!("adaptivemmd incidents export {id} {file}.tar.zst");
    Some(Step::new(text, &[&command]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incidents::evidence::SourceKind;

    fn advised(owner: &str, kind: SourceKind, partial: bool) -> Step {
        let explanation = Explanation {
            class: Class::Unaccounted,
            owner: owner.to_owned(),
            source: kind.file().to_owned(),
            before_bytes: 0,
            after_bytes: 1 << 30,
            explained_bytes: 1 << 30,
            share_percent: 100.0,
            certainty: if partial {
                Certainty::AtMost
            } else {
                Certainty::Charged
            },
            partial,
        };
        of_owner(&explanation, "6.12").unwrap()
    }

    #[test]
    fn nobody_is_told_to_restart_what_others_hang_on() {
        for (owner, kind) in [
            ("/", SourceKind::Services),
            ("/system.slice", SourceKind::Services),
            ("/user.slice/user-1000.slice", SourceKind::Services),
            ("/init.scope", SourceKind::Services),
            (
                "/user.slice/user-1000.slice/session-3.scope",
                SourceKind::Services,
            ),
            (
                "/kubepods.slice/cri-containerd-0123.scope",
                SourceKind::Services,
            ),
            ("/docker/0123456789abcdef", SourceKind::Services),
            ("/system.slice/dbus.service", SourceKind::Services),
            (
                "/system.slice/systemd-journald.service",
                SourceKind::Services,
            ),
            ("/system.slice/kubelet.service", SourceKind::Services),
            (
                "/user.slice/user-0.slice/user@0.service",
                SourceKind::Services,
            ),
            ("pipes of systemd (PID 1)", SourceKind::Descriptors),
            ("pipes of dbus-daemon (PID 500)", SourceKind::Descriptors),
            (
                "pipes of systemd-journal (PID 400)",
                SourceKind::Descriptors,
            ),
        ] {
            let Step { text, commands } = advised(owner, kind, false);
            let text = text.replace("do not restart it", "");
            let all = format!("{text} {}", commands.join(" "));

            assert!(!all.contains("estart it"), "{owner}: {all}");
            assert!(!all.contains("a restart"), "{owner}: {all}");
            assert!(!all.starts_with("Restart"), "{owner}: {all}");
        }
        let ordinary = advised("/system.slice/nginx.service", SourceKind::Services, false);
        assert!(ordinary.text.starts_with("Restart nginx.service"));
    }

    #[test]
    fn nobody_is_told_to_restart_what_was_counted_in_part() {
        for (owner, kind) in [
            ("/system.slice/nginx.service", SourceKind::Services),
            ("pipes of nginx (PID 7)", SourceKind::Descriptors),
            ("drm_gem_shmem_vmap", SourceKind::Vmalloc),
            ("kmalloc-1k", SourceKind::Slab),
        ] {
            let Step { text, .. } = advised(owner, kind, true);

            assert!(text.starts_with("Do nothing about"), "{owner}: {text}");
        }
    }
}
