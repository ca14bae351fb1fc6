const QUERY: &str = include_str!("../queries/all.sql");
fn main() {
    println!("{QUERY}");
}
