fn main() {
    println!("{}", shared::GREETING);
    println!("revision {}", env!("REVISION"));
    println!("query {}", sqlx_macros::query!("SELECT 1"));
}
