fn main() { print!("{}", include_str!("../web/dist/page.html")); }
