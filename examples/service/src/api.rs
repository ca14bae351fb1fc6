//! The HTTP interface.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use reqwest::Url;
use serde::Deserialize;

use crate::store::{Bookmark, Store};
use crate::title::TitleFetcher;

#[derive(Clone)]
struct App {
    store: Store,
    titles: TitleFetcher,
}

pub fn router(store: Store, titles: TitleFetcher) -> Router {
    Router::new()
        .route("/health", get(async || "ok"))
        .route("/bookmarks", get(list).post(add))
        .with_state(App { store, titles })
}

async fn list(State(app): State<App>) -> Result<Json<Vec<Bookmark>>, ApiError> {
    Ok(Json(app.store.list().await?))
}

#[derive(Deserialize)]
struct NewBookmark {
    url: String,
    title: Option<String>,
}

async fn add(
    State(app): State<App>,
    Json(new): Json<NewBookmark>,
) -> Result<(StatusCode, Json<Bookmark>), ApiError> {
    let url = Url::parse(&new.url)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(ApiError::InvalidUrl)?;

    let title = match new.title {
        Some(title) => Some(title),
        // A page that is down today is no reason to lose the bookmark.
        None => app.titles.fetch(url.clone()).await.unwrap_or_else(|error| {
            tracing::warn!("no title for {url}: {:#}", anyhow::Error::from(error));
            None
        }),
    };

    let bookmark = app.store.add(url.into(), title).await?;
    let bookmark = bookmark.ok_or(ApiError::Exists)?;
    Ok((StatusCode::CREATED, Json(bookmark)))
}

enum ApiError {
    InvalidUrl,
    Exists,
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::InvalidUrl => (StatusCode::UNPROCESSABLE_ENTITY, "not an http(s) URL"),
            Self::Exists => (StatusCode::CONFLICT, "this URL is already bookmarked"),
            Self::Internal(error) => {
                tracing::error!("{error:#}");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            }
        }
        .into_response()
    }
}
