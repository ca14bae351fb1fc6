#![cfg(windows)]

fn main() {}
