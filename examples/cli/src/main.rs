//! Prints the most frequent words of files or standard input.
//!
//! ```text
//! $ echo "a b a" | wordfreq
//!       2  a
//!       1  b
//! ```

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use serde::Serialize;

/// Print the most frequent words of files or standard input.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Files to read; `-`, or no file at all, is standard input
    files: Vec<PathBuf>,

    /// How many words to print
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    top: usize,

    /// Print a JSON array of objects instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Entry {
    word: String,
    count: u64,
}

#[derive(Default)]
struct Counter {
    counts: HashMap<String, u64>,
}

impl Counter {
    /// Counts the words of everything `input` has to offer.
    fn read(&mut self, input: impl BufRead) -> io::Result<()> {
        for line in input.lines() {
            for word in words(&line?) {
                *self.counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The `n` most frequent words, ties in alphabetical order.
    fn top(self, n: usize) -> Vec<Entry> {
        let mut entries: Vec<_> = self
            .counts
            .into_iter()
            .map(|(word, count)| Entry { word, count })
            .collect();
        entries.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.word.cmp(&b.word)));
        entries.truncate(n);
        entries
    }
}

/// Splits a line into words: letters and digits, with apostrophes inside.
fn words(line: &str) -> impl Iterator<Item = &str> {
    const APOSTROPHES: [char; 2] = ['\'', '’'];

    line.split(|c: char| !c.is_alphanumeric() && !APOSTROPHES.contains(&c))
        .map(|word| word.trim_matches(APOSTROPHES))
        .filter(|word| !word.is_empty())
}

fn print(entries: &[Entry], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, entries)?;
        writeln!(out)?;
    } else {
        for Entry { word, count } in entries {
            writeln!(out, "{count:>7}  {word}")?;
        }
    }
    out.flush()
}

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.files.is_empty() {
        args.files.push(PathBuf::from("-"));
    }

    let mut counter = Counter::default();
    for path in &args.files {
        if path == Path::new("-") {
            counter.read(io::stdin().lock())
        } else {
            File::open(path).and_then(|file| counter.read(BufReader::new(file)))
        }
        .with_context(|| format!("cannot read {}", path.display()))?;
    }

    match print(&counter.top(args.top), args.json) {
        // Whoever reads our output, `head` for one, has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_words_at_punctuation() {
        let found: Vec<_> = words("Don't 'quote' — naïve, 42!").collect();
        assert_eq!(found, ["Don't", "quote", "naïve", "42"]);
    }

    #[test]
    fn orders_by_count_and_then_by_word() -> io::Result<()> {
        let mut counter = Counter::default();
        counter.read("b c\nA a d".as_bytes())?;

        let top = counter.top(3);

        let expected = [("a", 2), ("b", 1), ("c", 1)].map(|(word, count)| Entry {
            word: word.to_owned(),
            count,
        });
        assert_eq!(top, expected);
        Ok(())
    }
}
