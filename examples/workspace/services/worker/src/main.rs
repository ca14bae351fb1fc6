//! Takes orders from the api and ships them, until it is told to stop.

use std::io;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use orders_model::Order;
use reqwest::{Client, StatusCode, Url};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

/// How long to wait before asking again when there was nothing to do.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How long the api may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Take orders from the api and ship them.
#[derive(Parser)]
#[command(name = "worker", version)]
struct Args {
    /// Where the api is
    #[arg(long, env, default_value = "http://localhost:8080")]
    api_url: Url,

    /// Ship one order, if there is one, and exit
    #[arg(long)]
    once: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt().init();

    let api = Api::new(&args.api_url)?;
    if args.once {
        if step(&api).await?.is_none() {
            tracing::info!("nothing to do");
        }
        return Ok(());
    }

    let mut shutdown = Box::pin(shutdown_signal().context("cannot listen for signals")?);
    tracing::info!("taking orders from {}", args.api_url);
    loop {
        // Not raced against `shutdown`: an order that was claimed gets shipped.
        let pause = match step(&api).await {
            Ok(Some(_)) => Duration::ZERO,
            Ok(None) => POLL_INTERVAL,
            Err(error) => {
                tracing::warn!("{error:#}");
                POLL_INTERVAL
            }
        };
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            () = sleep(pause) => {}
        }
    }
    tracing::info!("stopped");
    Ok(())
}

/// Ships the next order and returns it, if there is one.
async fn step(api: &Api) -> anyhow::Result<Option<Order>> {
    let Some(order) = api.claim().await.context("cannot claim an order")? else {
        return Ok(None);
    };
    let order = api
        .shipped(order.id)
        .await
        .with_context(|| format!("cannot report order {} as shipped", order.id))?;
    let details = &order.details;
    tracing::info!(
        id = order.id,
        "shipped {} {}",
        details.quantity,
        details.item
    );
    Ok(Some(order))
}

/// A client of the api service.
struct Api {
    client: Client,
    base: String,
}

impl Api {
    fn new(url: &Url) -> reqwest::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(TIMEOUT).build()?,
            base: url.as_str().trim_end_matches('/').to_owned(),
        })
    }

    async fn claim(&self) -> reqwest::Result<Option<Order>> {
        let url = format!("{}/orders/claim", self.base);
        let response = self.client.post(url).send().await?.error_for_status()?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        response.json().await.map(Some)
    }

    async fn shipped(&self, id: u64) -> reqwest::Result<Order> {
        let url = format!("{}/orders/{id}/shipped", self.base);
        let response = self.client.post(url).send().await?.error_for_status()?;
        response.json().await
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
