// SPDX-License-Identifier: GPL-2.0

//! SIGINT, SIGTERM and SIGHUP end the command in an orderly way: destructors detach the process and
//! remove the cgroup.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static RAISED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Installs the signal handlers.
///
/// # Errors
///
/// A handler cannot be installed.
pub fn install() -> Result<()> {
    let raised = RAISED.get_or_init(Arc::default);

    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(raised))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    Ok(())
}

/// Returns true once one of the signals has arrived.
pub fn raised() -> bool {
    RAISED
        .get()
        .is_some_and(|raised| raised.load(Ordering::Relaxed))
}

/// Forgets the signals that have arrived: they ended a wait, and the command goes on.
pub fn clear() {
    if let Some(raised) = RAISED.get() {
        raised.store(false, Ordering::Relaxed);
    }
}

/// Fails once one of the signals has arrived.
///
/// # Errors
///
/// SIGINT, SIGTERM or SIGHUP has arrived.
pub fn check() -> Result<()> {
    if raised() {
        bail!("interrupted");
    }
    Ok(())
}
