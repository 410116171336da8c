//! What the kernel's files say about who holds memory, and what of a growth that explains.

mod comparison;

pub use comparison::{
    Certainty, Class, Comparison, Explanation, Growth, Level, Source, Standing, Taken,
};
