//! How things stand, for whoever asks.

mod line;

pub(crate) use line::line;
