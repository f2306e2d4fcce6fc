// SPDX-License-Identifier: GPL-2.0

//! Who may open and write the files.

use kernel::{
    capability::{
        capable,
        Capability, //
    },
    prelude::*, //
};

/// # Errors
///
/// - [`EPERM`]: the current task has not got the capability.
pub(crate) fn demand(capability: Capability) -> Result {
    if capable(capability) {
        Ok(())
    } else {
        Err(EPERM)
    }
}
