//! The kernel's own modules that a machine needs, in the order in which they can be loaded.

/// The files of `wanted` and of all they need, the needed ones first, from the text of `modules.dep`. A module that is
/// not there is built in.
pub(crate) fn in_order(dependencies: &str, wanted: &[&str]) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for name in wanted {
        let line = dependencies.lines().find_map(|line| {
            let (file, needs) = line.split_once(':')?;
            (name_of(file) == *name).then_some((file, needs))
        });
        let Some((file, needs)) = line else { continue };
        // `modules.dep` names the nearest first.
        for file in needs.split_whitespace().rev().chain(std::iter::once(file)) {
            if !order.iter().any(|known| known == file) {
                order.push(file.to_owned());
            }
        }
    }
    order
}

/// The name of the module in a file: without its directory and endings, and with `_` for `-`.
pub(crate) fn name_of(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    let name = name.split(".ko").next().unwrap_or(name);
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPENDENCIES: &str = "\
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/char/virtio-rng.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
";

    #[test]
    fn what_a_module_needs_comes_before_it_and_only_once() {
        let order = in_order(DEPENDENCIES, &["virtio_blk", "built_in", "virtio_rng"]);
        let names: Vec<String> = order.iter().map(|file| name_of(file)).collect();
        assert_eq!(names, ["virtio", "virtio_ring", "virtio_blk", "virtio_rng"]);
    }
}
