//! Threads, and an end that is asked for.

use std::thread;

fn main() {
    let sums = (1..=4u64).map(|n| thread::spawn(move || (0..n * 1000).sum::<u64>()));
    let sums: Vec<_> = sums.collect();
    let total: u64 = sums.into_iter().map(|sum| sum.join().unwrap()).sum();
    println!("the sum is {total}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    println!("the user is {}", user.split_whitespace().next().unwrap());
    if std::env::args().any(|arg| arg == "wait") {
        let mut signals = signal_hook::iterator::Signals::new([15]).unwrap();
        println!("waiting");
        println!("ended by {}", signals.forever().next().unwrap());
    }
}
