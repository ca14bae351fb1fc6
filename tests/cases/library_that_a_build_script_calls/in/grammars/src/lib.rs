//! Makes parsers.

mod parser;

pub use parser::generate;
