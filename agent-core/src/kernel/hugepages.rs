//! `/sys/kernel/mm/hugepages/hugepages-<size>kB/nr_hugepages`: pools of huge pages of every size.

use adaptivemm_module_api::units::Bytes;

use super::error::ParseError;

/// The directory of the pools; absent on a kernel without huge pages.
pub(crate) const DIRECTORY: &str = "/sys/kernel/mm/hugepages";

/// The size of the pages in a pool, from the name of its directory: `hugepages-2048kB`.
#[must_use]
pub fn page_size(directory: &str) -> Option<Bytes> {
    let kib = directory.strip_prefix("hugepages-")?.strip_suffix("kB")?;
    kib.parse().ok().map(Bytes::from_kib)
}

/// The number of pages in a pool, from its `nr_hugepages`.
///
/// # Errors
///
/// If it is not a number on a line of its own.
pub fn page_count(text: &[u8]) -> Result<u64, ParseError> {
    let number = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.strip_suffix('\n')?.parse().ok());
    number.ok_or_else(|| ParseError::new("a number of huge pages", &String::from_utf8_lossy(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_size_is_in_the_name() {
        let sizes = [
            "hugepages-2048kB",
            "hugepages-16777216kB",
            "hugepages-2M",
            "hugepages-kB",
            "other",
        ];

        let kib = sizes.map(|name| page_size(name).map(Bytes::kib));

        assert_eq!(kib, [Some(2048), Some(16_777_216), None, None, None]);
    }

    #[test]
    fn half_a_number_is_refused() {
        assert_eq!(page_count(b"512\n"), Ok(512));
        assert_eq!(
            page_count(b"51").unwrap_err().to_string(),
            "expected a number of huge pages, found \"51\""
        );
    }

    proptest! {
        #[test]
        fn never_panics(text: Vec<u8>, name: String) {
            let _ = (page_count(&text), page_size(&name));
        }

        #[test]
        fn reads_back_what_the_kernel_prints(count: u64) {
            prop_assert_eq!(page_count(format!("{count}\n").as_bytes()), Ok(count));
        }
    }
}
