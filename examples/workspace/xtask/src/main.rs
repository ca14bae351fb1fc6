//! Development tasks, run as `cargo xtask <task>`. Never shipped.
//!
//! To try the services with some orders in the queue:
//!
//! ```text
//! $ cargo xtask seed | while read -r order; do
//!       curl localhost:8080/orders --json "$order"
//!   done
//! ```

use std::io::{self, Write};
use std::num::NonZeroU32;

use clap::Parser;
use orders_model::NewOrder;

/// Development tasks.
#[derive(Parser)]
enum Task {
    /// Print sample orders, one JSON object per line
    Seed {
        /// How many orders to print
        #[arg(long, default_value_t = 5)]
        count: usize,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Seed { count } => seed(count, io::stdout().lock()),
    }
}

fn seed(count: usize, mut out: impl Write) -> anyhow::Result<()> {
    const ITEMS: [&str; 3] = ["tea", "milk", "biscuits"];

    let quantities = (1..=9).filter_map(NonZeroU32::new).cycle();
    for (item, quantity) in ITEMS.into_iter().cycle().zip(quantities).take(count) {
        let item = item.to_owned();
        serde_json::to_writer(&mut out, &NewOrder { item, quantity })?;
        writeln!(out)?;
    }
    Ok(())
}
