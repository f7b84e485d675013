//! The way of a request: [`guard`](super::guard) (who may ask), then the endpoint or whatever else is served.

use axum::{Router, extract::Request, response::Response};
use tower::Service;

use super::{direct::Direct, guard::Guard, mend::Mend};

/// What is served. The endpoint stands outside of the router, whose layers cost every request copies of it.
pub(super) struct Routes<H> {
    pub(super) guard: Guard,
    /// The path of the endpoint.
    pub(super) path: String,
    pub(super) endpoint: Mend<H>,
    /// All other paths.
    pub(super) extra: Router,
}

impl<H: Direct> Routes<H> {
    /// Answers one request.
    pub(super) async fn answer(&self, request: Request) -> Response {
        self.guard.guard(request, |request| self.route(request)).await
    }

    async fn route(&self, request: Request) -> Response {
        if request.uri().path() == self.path {
            return self.endpoint.answer(request).await;
        }
        match Box::pin(self.extra.clone().call(request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
