//! `SIGHUP`, where there is one.

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The stream of `SIGHUP`s; silent on systems without signals.
#[derive(Debug)]
pub(super) struct Hangup {
    #[cfg(unix)]
    signals: Option<Signal>,
}

impl Hangup {
    /// Takes `SIGHUP` over from its default, which ends the process.
    pub fn listen() -> Hangup {
        Hangup {
            #[cfg(unix)]
            signals: signal(SignalKind::hangup())
                .inspect_err(|error| tracing::warn!("cannot listen for SIGHUP: {error}"))
                .ok(),
        }
    }

    /// Resolves when a signal came, or had come since the last call. Cancel-safe.
    pub async fn received(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }

    /// Deaf: the signal is for another.
    pub fn none() -> Hangup {
        Hangup {
            #[cfg(unix)]
            signals: None,
        }
    }
}
