mod inner;

pub const PRICES: &str = include_str!("../../prices.csv");
