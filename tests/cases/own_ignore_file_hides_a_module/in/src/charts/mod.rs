pub fn drawn() -> u32 {
    1
}
