//! Prints all that it was made of.

fn main() {
    println!("main 1");
    println!("loud {}", cfg!(feature = "loud"));
    println!("flavor {}", env!("FLAVOR"));
    println!("{}", env!("SCRIPT"));
    println!("{}", extra::TEXT);
    println!("{}", base::TEXT);
    println!("{}", base::inner::TEXT);
    println!("{}", base::NOTE);
    println!("{}", base::MIGRATIONS);
    println!("{}", itoa::Buffer::new().format(1));
}
