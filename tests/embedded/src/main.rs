//! Prints the words `marker-…` that the compiler found in files for it: they are in the program itself.

use std::collections::BTreeSet;
use std::hint::black_box;

use diesel_migrations::{embed_migrations, EmbeddedMigrations};
use include_dir::{include_dir, Dir};

static ASSETS: Dir = include_dir!("$CARGO_MANIFEST_DIR/assets");
static DIESEL: EmbeddedMigrations = embed_migrations!("diesel");
static SQLX: sqlx::migrate::Migrator = sqlx::migrate!("./sqlx");

fn main() {
    black_box((&ASSETS, &DIESEL, &SQLX));
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let text = String::from_utf8_lossy(&program);
    // Written whole, it would be found here.
    let start = ["mark", "er-"].concat();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let markers: BTreeSet<&str> = words.filter_map(|word| Some(word.split_once(&start)?.1)).collect();
    for marker in markers {
        println!("{marker}");
    }
}
