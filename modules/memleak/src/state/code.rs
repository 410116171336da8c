//! Numbers as bytes, and back.

use core::time::Duration;

use adaptivemm_module_api::units::{Balance, Bytes, Uptime};

use super::Kept;

/// No file is kept that is longer.
const LONGEST_TEXT: usize = 4096;

/// Appends to bytes.
#[derive(Debug)]
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

/// Takes from the start of bytes.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Writer<'_> {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn count(&mut self, value: usize) {
        self.u64(value as u64);
    }

    /// Its beginning, if it is long.
    pub(super) fn text(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(LONGEST_TEXT)];
        self.count(text.len());
        self.0.extend_from_slice(text);
    }
}

impl<'a> Reader<'a> {
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number of things of which there are no more than so many.
    pub(super) fn count(&mut self, most: usize) -> Option<usize> {
        let count = usize::try_from(self.u64()?).ok()?;
        (count <= most).then_some(count)
    }

    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let count = self.count(LONGEST_TEXT)?;
        let (text, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(text)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }
}

impl Kept for u64 {
    fn write(&self, to: &mut Writer<'_>) {
        to.u64(*self);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = from.u64()?;
        Some(())
    }
}

impl Kept for u32 {
    fn write(&self, to: &mut Writer<'_>) {
        to.u64(u64::from(*self));
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = u32::try_from(from.u64()?).ok()?;
        Some(())
    }
}

impl Kept for bool {
    fn write(&self, to: &mut Writer<'_>) {
        to.u8(u8::from(*self));
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = match from.u8()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(())
    }
}

impl Kept for Duration {
    fn write(&self, to: &mut Writer<'_>) {
        // A kernel that runs for 584 years has other worries.
        to.u64(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX));
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = Self::from_nanos(from.u64()?);
        Some(())
    }
}

impl Kept for Uptime {
    fn write(&self, to: &mut Writer<'_>) {
        self.0.write(to);
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        self.0.read(from)
    }
}

impl Kept for Bytes {
    fn write(&self, to: &mut Writer<'_>) {
        to.u64(self.get());
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = Self::new(from.u64()?);
        Some(())
    }
}

impl Kept for Balance {
    fn write(&self, to: &mut Writer<'_>) {
        to.u64(u64::from_le_bytes(self.get().to_le_bytes()));
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        *self = Self::new(i64::from_le_bytes(from.u64()?.to_le_bytes()));
        Some(())
    }
}

impl<T: Kept + Default> Kept for Option<T> {
    fn write(&self, to: &mut Writer<'_>) {
        to.u8(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(to);
        }
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        let mut is_some = false;
        is_some.read(from)?;
        *self = None;
        if is_some {
            self.get_or_insert_default().read(from)?;
        }
        Some(())
    }
}

impl<T: Kept, const N: usize> Kept for [T; N] {
    fn write(&self, to: &mut Writer<'_>) {
        for value in self {
            value.write(to);
        }
    }

    fn read(&mut self, from: &mut Reader<'_>) -> Option<()> {
        for value in self {
            value.read(from)?;
        }
        Some(())
    }
}
