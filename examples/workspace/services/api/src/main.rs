//! Takes orders and hands them to the workers.
//!
//! ```text
//! GET  /health               "ok"
//! GET  /orders               all orders
//! POST /orders               places an order: {"item": "tea", "quantity": 2}
//! POST /orders/claim         the next order in the queue, or 204 No Content
//! POST /orders/{id}/shipped  marks a claimed order as shipped
//! ```

mod queue;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::Parser;
use orders_model::{NewOrder, Order};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::queue::Queue;

/// Take orders and hand them to the workers.
#[derive(Parser)]
#[command(name = "api", version)]
struct Args {
    /// Address to listen on
    #[arg(long, env, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    tracing_subscriber::fmt().init();

    let shutdown = shutdown_signal().context("cannot listen for signals")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    tracing::info!("listening on {}", listener.local_addr()?);

    axum::serve(listener, router())
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

#[derive(Clone, Default)]
struct App {
    queue: Arc<Mutex<Queue>>,
}

impl App {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn router() -> Router {
    Router::new()
        .route("/health", get(async || "ok"))
        .route("/orders", get(list).post(place))
        .route("/orders/claim", post(claim))
        .route("/orders/{id}/shipped", post(shipped))
        .with_state(App::default())
}

async fn list(State(app): State<App>) -> Json<Vec<Order>> {
    Json(app.queue().orders().to_vec())
}

async fn place(State(app): State<App>, Json(new): Json<NewOrder>) -> (StatusCode, Json<Order>) {
    let order = app.queue().place(new);
    tracing::info!(id = order.id, "order placed");
    (StatusCode::CREATED, Json(order))
}

async fn claim(State(app): State<App>) -> Result<Json<Order>, StatusCode> {
    app.queue().claim().map(Json).ok_or(StatusCode::NO_CONTENT)
}

async fn shipped(State(app): State<App>, Path(id): Path<u64>) -> Result<Json<Order>, StatusCode> {
    let order = app.queue().ship(id).ok_or(StatusCode::NOT_FOUND)?;
    tracing::info!(id, "order shipped");
    Ok(Json(order))
}
