//! Shows how many orders there are, and how far they have come.
//!
//! ```text
//! GET /        one line of text, or 502 Bad Gateway while the api does not answer
//! GET /health  "ok"
//! ```

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use clap::Parser;
use orders_model::{Order, Status};
use reqwest::{Client, Url};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// How long the api may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Show how many orders there are, and how far they have come.
#[derive(Parser)]
#[command(name = "dashboard", version)]
struct Args {
    /// Address to listen on
    #[arg(long, env, default_value = "0.0.0.0:8081")]
    listen: SocketAddr,

    /// Where the api is
    #[arg(long, env, default_value = "http://localhost:8080")]
    api_url: Url,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt().init();

    let api = Arc::new(Api::new(&args.api_url)?);
    let router = Router::new()
        .route("/", get(summary))
        .route("/health", get(async || "ok"))
        .with_state(api);
    let shutdown = shutdown_signal().context("cannot listen for signals")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    tracing::info!("listening on {}", listener.local_addr()?);

    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await?;
    tracing::info!("stopped");
    Ok(())
}

async fn summary(State(api): State<Arc<Api>>) -> Result<String, StatusCode> {
    let orders = api.orders().await.map_err(|error| {
        tracing::warn!("cannot ask for the orders: {error}");
        StatusCode::BAD_GATEWAY
    })?;
    Ok(summarize(&orders))
}

fn summarize(orders: &[Order]) -> String {
    let count = |status| orders.iter().filter(|order| order.status == status).count();
    format!(
        "{} pending, {} processing, {} shipped\n",
        count(Status::Pending),
        count(Status::Processing),
        count(Status::Shipped)
    )
}

/// A client of the api service.
struct Api {
    client: Client,
    orders: String,
}

impl Api {
    fn new(url: &Url) -> reqwest::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(TIMEOUT).build()?,
            orders: format!("{}/orders", url.as_str().trim_end_matches('/')),
        })
    }

    async fn orders(&self) -> reqwest::Result<Vec<Order>> {
        let response = self.client.get(&self.orders).send().await?;
        response.error_for_status()?.json().await
    }
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use orders_model::NewOrder;

    use super::*;

    #[test]
    fn orders_are_counted_by_status() {
        let order = |status| Order {
            id: 1,
            details: NewOrder {
                item: "tea".to_owned(),
                quantity: NonZeroU32::MIN,
            },
            status,
        };
        let orders = [Status::Pending, Status::Shipped, Status::Shipped].map(order);

        assert_eq!(summarize(&orders), "1 pending, 0 processing, 2 shipped\n");
    }
}
