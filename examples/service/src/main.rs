//! A bookmark service: keeps URLs in SQLite and looks up the titles of the
//! pages they point to.
//!
//! ```text
//! $ curl localhost:8080/bookmarks --json '{"url": "https://www.rust-lang.org/"}'
//! $ curl localhost:8080/bookmarks
//! ```
//!
//! It fetches any URL it is given, so let only people you trust reach it.

mod api;
mod store;
mod title;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::store::Store;
use crate::title::TitleFetcher;

/// A bookmark service that keeps its data in SQLite.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address to listen on
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,

    /// SQLite database, created if it does not exist
    #[arg(long, env, default_value = "bookmarks.db")]
    database: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt().init();

    let shutdown = shutdown_signal().context("cannot listen for signals")?;
    let store = Store::open(&args.database)
        .with_context(|| format!("cannot open the database {}", args.database.display()))?;
    let titles = TitleFetcher::new().context("cannot set up the HTTP client")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    tracing::info!("listening on {}", listener.local_addr()?);

    axum::serve(listener, api::router(store, titles))
        .with_graceful_shutdown(shutdown)
        .await?;
    tracing::info!("stopped");
    Ok(())
}

/// Completes on SIGTERM, which is how containers are stopped, or ctrl-c.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
