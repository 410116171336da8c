//! A kernel file that is read again and again.

use std::fmt::Debug;

use agent_core::kernel::ParseError;

/// Where one text of the file ends and the next begins.
const FORM_FEED: u8 = b'\x0c';

/// A parser that keeps the shape of the last text must find in each text what one that has seen no
/// other text finds in it. The texts are what stands between the form feeds in `data`.
///
/// # Panics
///
/// If it does not, or accepts a text that was cut off or holds nothing.
pub fn check<T: Default, V: Debug + PartialEq>(
    data: &[u8],
    update: fn(&mut T, &[u8]) -> Result<(), ParseError>,
    values: fn(&T) -> Vec<V>,
) {
    let mut kept = T::default();
    for text in data.split(|&byte| byte == FORM_FEED) {
        let mut fresh = T::default();
        let alone = (update(&mut fresh, text), values(&fresh));
        let in_turn = (update(&mut kept, text), values(&kept));

        let printed = String::from_utf8_lossy(text);
        assert_eq!(in_turn, alone, "{printed:?}");
        match alone.0 {
            Ok(()) => assert!(text.ends_with(b"\n") && !alone.1.is_empty(), "{printed:?}"),
            Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{printed:?}"),
        }
    }
}
