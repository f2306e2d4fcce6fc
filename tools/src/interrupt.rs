// SPDX-License-Identifier: GPL-2.0

//! SIGINT, SIGTERM and SIGHUP end what the program is doing, so that what it set up is undone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static RAISED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Takes the signals over.
pub fn install() -> Result<()> {
    let raised = RAISED.get_or_init(Arc::default);

    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(raised))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    Ok(())
}

/// Whether one of the signals has arrived.
pub fn raised() -> bool {
    RAISED
        .get()
        .is_some_and(|raised| raised.load(Ordering::Relaxed))
}

/// Fails once one of the signals has arrived.
pub fn check() -> Result<()> {
    if raised() {
        bail!("interrupted");
    }
    Ok(())
}
