mod made;

fn main() {
    println!("{}", shared::GREETING);
    println!("{}", made::TEXT);
}
