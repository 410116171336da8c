//! `/proc/uptime` and `/proc/sys/kernel/random/boot_id`: the boot, and the time since.

use std::time::Duration;

use adaptivemm_module_api::units::Uptime;

use super::error::ParseError;

/// The file that says how long the machine has run.
pub(crate) const UPTIME: &str = "/proc/uptime";
/// The file that names the boot.
pub(crate) const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Time since boot, suspended time included: the first number of `/proc/uptime`, in seconds.
///
/// # Errors
///
/// If it does not start with a number of seconds that a machine can have run.
pub fn uptime(text: &[u8]) -> Result<Uptime, ParseError> {
    let text = String::from_utf8_lossy(text);
    let seconds = text
        .split(' ')
        .next()
        .and_then(|first| first.parse::<f64>().ok());
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration
        .map(Uptime)
        .ok_or_else(|| ParseError::new("seconds since boot", &text))
}

/// The name of this boot: a UUID that the kernel makes anew each time.
///
/// # Errors
///
/// If it is not a UUID.
pub fn boot_id(text: &[u8]) -> Result<String, ParseError> {
    let text = String::from_utf8_lossy(text);
    let id = text.trim_end();
    let is_uuid = id.len() == 36
        && id.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        });
    if is_uuid {
        Ok(id.to_owned())
    } else {
        Err(ParseError::new("a UUID", &text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(
            uptime(b"2154.25 4289.01\n"),
            Ok(Uptime(Duration::from_millis(2_154_250)))
        );
        assert!(uptime(b"-1 2\n").is_err());
        assert!(uptime(b"").is_err());
    }

    #[test]
    fn a_boot_id_is_a_uuid() {
        let id = "021614d5-c5a5-461d-ad11-de240bc4a849";

        assert_eq!(boot_id(format!("{id}\n").as_bytes()).as_deref(), Ok(id));
        assert_eq!(
            boot_id(b"021614d5\n").unwrap_err().to_string(),
            "expected a UUID, found \"021614d5\""
        );
    }

    proptest! {
        #[test]
        fn never_panics(text: Vec<u8>) {
            let _ = (uptime(&text), boot_id(&text));
        }
    }
}
