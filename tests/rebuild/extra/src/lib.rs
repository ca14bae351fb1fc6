pub const TEXT: &str = "extra 1";
