//! Several messages in one POST, which servers of 2025-03-26 must take: each is handled by itself, the answers go
//! back as one array.

use super::{
    accept::{self, JSON, Wanted},
    direct::Direct,
    mend::{Mend, refusal},
};
use crate::serve::wire::{self, Heading, Refusal};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use http::{
    StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use http_body_util::BodyExt;

impl<H: Direct> Mend<H> {
    /// The answers to a batch, in its order.
    pub(super) async fn batch(&self, wanted: Wanted, head: Parts, text: &[u8]) -> Result<Response, Response> {
        let messages = wire::split_batch(text).map_err(|refused| refusal(StatusCode::BAD_REQUEST, &refused))?;
        let answers = messages.into_iter().map(|message| self.one(&head, message));
        let answers: Vec<Vec<u8>> = join_all(answers).await.into_iter().flatten().collect();
        if answers.is_empty() {
            return Ok(StatusCode::ACCEPTED.into_response());
        }
        let response = ([(CONTENT_TYPE, JSON)], Body::from(wire::join_batch(&answers))).into_response();
        Ok(if wanted == Wanted::Events { accept::as_events(response).await } else { response })
    }

    /// The answer to one message; None where it gets none.
    async fn one(&self, head: &Parts, message: Vec<u8>) -> Option<Vec<u8>> {
        let heading = match Heading::read(&message) {
            Ok(heading) => heading,
            Err(refused) => return Some(refused.to_json()),
        };
        let id = match &heading {
            Heading::Request { id, method } if method == "initialize" => {
                return Some(Refusal::invalid(Some(id.clone()), "`initialize` must not be part of a batch").to_json());
            }
            Heading::Request { id, .. } => Some(id.clone()),
            Heading::Notification | Heading::Answer => None,
        };
        let mut head = head.clone();
        head.headers.remove(CONTENT_LENGTH);
        let response = self.single(Wanted::Json, head, Bytes::from(message)).await.unwrap_or_else(|refused| refused);
        let is_json = response.headers().get(CONTENT_TYPE) == Some(&JSON);
        let text = response.into_body().collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        match (id, is_json) {
            (Some(_), true) => Some(text),
            (Some(id), false) => Some(Refusal::invalid(Some(id), String::from_utf8_lossy(&text)).to_json()),
            (None, _) => None,
        }
    }
}
