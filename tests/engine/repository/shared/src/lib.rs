pub const GREETING: &str = "hello from above";
