//! Local time in a named zone.

fn main() {
    let time = jiff::Timestamp::UNIX_EPOCH.in_tz("Asia/Tokyo").unwrap();
    println!("{time}");
}
