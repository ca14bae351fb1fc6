pub const RINGS: u8 = 3;
