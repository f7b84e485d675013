//! A request to a server that has no answer yet.

use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::service::RequestHandle;

use super::calls::Calls;

/// A request without an answer yet. The server is told when it is dropped.
#[derive(Debug)]
pub struct Flight {
    pub calls: Arc<Calls>,
    /// Where its answer comes; `None` when it is over.
    pub handle: Option<RequestHandle<RoleClient>>,
    /// Why nobody waits for it any more, should it come to that.
    pub why: &'static str,
}

impl Flight {
    /// It is answered, or never will be.
    pub fn over(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.calls.over(&handle.id);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else { return };
        self.calls.over(&handle.id);
        let why = self.why.to_owned();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(handle.cancel(Some(why)).await) });
        }
    }
}
