mod target;

fn main() {
    println!("{}: {} of {}", target::HIT, shapes::target::RINGS, ::target::NAME);
}
