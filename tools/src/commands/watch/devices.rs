// SPDX-License-Identifier: GPL-2.0

//! The swap devices, with the swap types that the slots in use have, and the one that is shown.

use std::path::PathBuf;

use anyhow::Result;

use crate::json::Unknown;
use crate::swap::{areas, slots};
use crate::swaps::{self, Device};

/// The devices. All used slots are read for their types when the list changes.
#[derive(Default)]
pub struct Devices {
    all: Vec<Device>,
    shown: usize,
    /// Path of each device, whether it is used, and its type.
    known: Vec<(PathBuf, bool, u64)>,
    /// The reason why the types are not certain.
    pub doubt: Option<Unknown>,
}

impl Devices {
    /// Reads the devices of now. Without the module's `slots`, the order of `/proc/swaps` is the
    /// type.
    ///
    /// # Errors
    ///
    /// The devices or the slots cannot be read.
    pub fn refresh(&mut self) -> Result<()> {
        self.all = swaps::devices()?;
        self.shown = self.shown.min(self.all.len().saturating_sub(1));

        if !self.is_known() {
            let why = match slots::uses(&self.all)? {
                Some(uses) => areas::assign(&mut self.all, &uses),
                None => Some("this version of the module has no `slots`".to_string()),
            };
            let why = why.filter(|_| self.all.len() > 1);
            self.doubt = why.map(|why| Unknown::new("the swap types of the devices", why));
            self.known = self
                .all
                .iter()
                .map(|device| (device.path.clone(), device.used > 0, device.area))
                .collect();
        }
        for (device, (_, _, area)) in self.all.iter_mut().zip(&self.known) {
            device.area = *area;
        }
        Ok(())
    }

    /// Returns true if the same devices were used when the types were told.
    fn is_known(&self) -> bool {
        let now = self
            .all
            .iter()
            .map(|device| (device.path.as_path(), device.used > 0));
        let known = self
            .known
            .iter()
            .map(|(path, used, _)| (path.as_path(), *used));

        now.eq(known)
    }

    /// The device that is shown, if there is one.
    pub fn shown(&self) -> Option<&Device> {
        self.all.get(self.shown)
    }

    /// Shows the next one.
    pub fn next(&mut self) {
        self.shown = (self.shown + 1) % self.all.len().max(1);
    }
}
