//! What the fuzz targets share: a kernel file that is read again and again, and a configuration that
//! is loaded from bytes.

pub mod configuration;
pub mod modules;
pub mod readings;
