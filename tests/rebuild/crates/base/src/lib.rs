//! What the others are built on.

pub mod inner;

pub const TEXT: &str = "base 1";
pub const NOTE: &str = include_str!("../../../note.txt");
pub const MIGRATIONS: &str = names::contents!("migrations");
