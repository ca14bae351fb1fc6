pub const WORD: &str = "hush";
