pub const TEXT: &str = "a private ledger";
