pub const TEXT: &str = "inner 1";
