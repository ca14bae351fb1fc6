pub const HIT: &str = "hit";
