fn main() { println!("{}", quiet::WORD); }
