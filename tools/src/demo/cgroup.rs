// SPDX-License-Identifier: GPL-2.0

//! A version 2 cgroup with a memory limit, for one process.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const ROOT: &str = "/sys/fs/cgroup";

/// The cgroup. Drop removes it; its processes must have ended by then.
pub struct Cgroup {
    directory: PathBuf,
}

impl Cgroup {
    /// Creates a cgroup with a memory limit of `bytes` bytes.
    pub fn new(bytes: u64) -> Result<Self> {
        let root = Path::new(ROOT);
        write(&root.join("cgroup.subtree_control"), "+memory").context(
            "the demo needs root, and cgroup2 on /sys/fs/cgroup with the memory controller",
        )?;

        let directory = root.join(format!("xpagemap-demo-{}", std::process::id()));
        fs::create_dir(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let cgroup = Self { directory };
        write(&cgroup.file("memory.max"), &bytes.to_string())?;
        Ok(cgroup)
    }

    /// Moves a process into the cgroup.
    pub fn add(&self, pid: i32) -> Result<()> {
        write(&self.file("cgroup.procs"), &pid.to_string())
    }

    /// Bytes of swap charged to the cgroup.
    pub fn swap_bytes(&self) -> Result<u64> {
        let path = self.file("memory.swap.current");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;

        text.trim_end()
            .parse()
            .with_context(|| format!("{} holds {text:?}", path.display()))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.directory) {
            eprintln!(
                "xpagemap: cannot remove {}: {error}",
                self.directory.display()
            );
        }
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {text} to {}", path.display()))
}
