mod charts;

fn main() {
    println!("{}", charts::drawn());
}
