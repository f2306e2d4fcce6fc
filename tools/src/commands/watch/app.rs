// SPDX-License-Identifier: GPL-2.0

//! The state of the screen: a pass over the memory, the view, and where it is scrolled to.

use anyhow::{Result, ensure};

use super::devices::Devices;
use super::events::Events;
use super::keys::Change;
use super::slots::{self, Slots};
use super::text::wrapped;
use crate::json::Unknown;
use crate::maps::{self, Mapping};
use crate::select::{has_memory, name_of};
use crate::space::{Fold, Layout, ProcessPages, Row, Tally, is_of_gone_memory};
use crate::target::Target;
use crate::trace::recording::{PLAIN, Recording};

/// Columns beside the cells: an address, and a name.
pub const ADDRESS: u16 = 15;
/// Width of the mapping's name, with a space before it.
pub const NAME: u16 = 25;
/// Lines above the rows: the title and the counts.
pub const HEAD: u16 = 4;
/// Lines below them, at least: two events, or what is not known, and the keys.
pub const FOOT: u16 = 3;

/// A picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The address space.
    Memory,
    /// The process's slots of a swap device.
    Swap,
    /// The latest events.
    Events,
}

/// The source of the pass that goes on.
enum Pass {
    None,
    Pages(ProcessPages),
    Slots(Slots),
}

/// Everything that is drawn.
pub struct App {
    /// The process.
    pub pid: i32,
    /// Its name.
    pub name: String,
    /// The view that is shown.
    pub view: View,
    /// The mappings of this pass.
    pub maps: Vec<Mapping>,
    /// The pass that goes on.
    pub fold: Fold,
    /// The last pass of the same rows that is complete.
    pub done: Option<Fold>,
    /// Counts of the last two complete passes, oldest first.
    pub counts: [Option<Tally>; 2],
    /// The layout of the view.
    pub layout: Layout,
    /// The first row that is shown.
    pub first: u64,
    /// Facts that are not known, and why.
    pub unknown: Vec<Unknown>,
    /// The name of the source.
    pub source_name: &'static str,
    /// The latest events.
    pub events: Events,
    /// The swap devices.
    pub devices: Devices,
    zoom: Option<u32>,
    size: (u16, u16),
    pass: Pass,
    complete: bool,
    trace: bool,
    // Fields drop in order: the recording stops before its process is detached.
    recording: Option<Recording>,
    target: std::result::Result<Target, String>,
}

impl App {
    /// Attaches a process, if the module is there.
    ///
    /// # Errors
    ///
    /// There is no such process, or it belongs to another user, or it cannot be recorded.
    pub fn new(pid: i32, trace: bool) -> Result<Self> {
        let target = Target::attach_if_possible(pid)?;
        let recording = match trace {
            true => Some(Recording::start(Target::attach(pid)?, PLAIN)?),
            false => None,
        };
        let mut app = Self {
            pid,
            name: name_of(pid).unwrap_or_default(),
            view: View::Memory,
            maps: Vec::new(),
            fold: Fold::new(&[], Vec::new(), 1),
            done: None,
            counts: [None, None],
            layout: Layout::default(),
            first: 0,
            unknown: Vec::new(),
            source_name: "",
            events: Events::default(),
            devices: Devices::default(),
            zoom: None,
            size: (80, 24),
            pass: Pass::None,
            complete: true,
            trace,
            recording,
            target,
        };

        // Errors of the process come before the screen changes.
        app.pass = Pass::Pages(app.open()?);
        Ok(app)
    }

    fn open(&mut self) -> Result<ProcessPages> {
        let target = self.target.as_ref().map_err(String::as_str);
        let source = ProcessPages::open(self.pid, target, &mut self.unknown)?;

        self.source_name = source.name();
        Ok(source)
    }

    /// Rows that fit between head and foot.
    pub fn height(&self) -> usize {
        usize::from(self.size.1.saturating_sub(HEAD + self.foot()).max(1))
    }

    /// Lines below the rows.
    pub fn foot(&self) -> u16 {
        u16::try_from(self.notes().len() + 1)
            .unwrap_or(FOOT)
            .max(FOOT)
    }

    /// Lines that tell what the view does not know, and why.
    pub fn notes(&self) -> Vec<String> {
        let width = usize::from(self.size.0);
        let unknown = match self.view {
            View::Memory => self.unknown.as_slice(),
            View::Swap => self.devices.doubt.as_slice(),
            View::Events => &[],
        };

        unknown
            .iter()
            .flat_map(|unknown| wrapped(&unknown.to_string(), width))
            .collect()
    }

    /// Cells that fit a row.
    fn width(&self) -> usize {
        usize::from(self.size.0.saturating_sub(ADDRESS + NAME).max(1))
    }

    /// Notes the size of the terminal. Returns true if it has changed: the pass begins anew.
    pub fn resize(&mut self, width: u16, height: u16) -> bool {
        if self.size == (width, height) {
            return false;
        }
        self.size = (width, height);
        self.complete = true;
        self.done = None;
        true
    }

    /// True if it is laid out for a screen of this size.
    pub fn is_for(&self, width: u16, height: u16) -> bool {
        self.size == (width, height)
    }

    /// True if the pass is complete.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The fold to draw: the last complete one, or the first one while it goes on.
    pub fn shown(&self) -> &Fold {
        self.done.as_ref().unwrap_or(&self.fold)
    }

    /// The row's mapping.
    pub fn mapping(&self, row: &Row) -> Option<&Mapping> {
        self.maps.get(row.mapping)
    }

    /// Begins a pass. Returns why there is nothing to see any more.
    ///
    /// # Errors
    ///
    /// The process cannot be read.
    pub fn begin(&mut self) -> Result<Option<String>> {
        let begun = self.try_begin();
        self.unless_gone(begun)
    }

    /// Returns the reason for an error if the process has exited. If it executes another program,
    /// the next pass is of that.
    fn unless_gone(&mut self, result: Result<()>) -> Result<Option<String>> {
        match result {
            Ok(()) => Ok(None),
            Err(_) if !has_memory(self.pid) => Ok(Some(format!(
                "process {} ({}) has exited",
                self.pid, self.name
            ))),
            // Without the module, the file of the memory that is gone tells.
            Err(error) if self.is_gone() || is_of_gone_memory(&error) => {
                self.complete = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn try_begin(&mut self) -> Result<()> {
        ensure!(has_memory(self.pid), "process {} has exited", self.pid);
        // After execve: the target, and the open files, are of memory that is gone.
        if self.is_gone() {
            self.recording = None;
            self.target = Target::attach_if_possible(self.pid)?;
            if self.trace {
                self.recording = Some(Recording::start(Target::attach(self.pid)?, PLAIN)?);
            }
        }
        // Without the module, nothing else tells of execve.
        if let Some(name) = name_of(self.pid) {
            self.name = name;
        }
        let maps = maps::mappings(self.pid)?;
        let moved = maps != self.maps;
        self.maps = maps;
        if let Ok(target) = &self.target {
            self.events.refresh(target)?;
        }
        self.pass = match self.view {
            View::Swap => self.open_slots()?,
            _ => self.open_pages()?,
        };
        let rows = self.layout.rows(self.first, self.height());
        if moved || self.done.as_ref().is_some_and(|done| done.rows() != rows) {
            self.done = None;
        }
        self.fold = Fold::new(self.layout.mappings(), rows, self.layout.per_cell);
        self.complete = false;
        Ok(())
    }

    fn open_pages(&mut self) -> Result<Pass> {
        let source = self.open()?;
        let page_size = procfs::page_size();
        let pages: Vec<_> = self.maps.iter().map(|map| map.pages(page_size)).collect();

        self.show(match self.zoom {
            Some(shift) => Layout::new(pages, 1 << shift, self.width()),
            None => Layout::fitting(pages, self.height() as u64, self.width()),
        });
        Ok(Pass::Pages(source))
    }

    fn open_slots(&mut self) -> Result<Pass> {
        if self.target.is_ok() {
            self.devices.refresh()?;
        }
        let (Ok(target), Some(device)) = (&self.target, self.devices.shown()) else {
            self.show(Layout::default());
            return Ok(Pass::None);
        };
        let slots = Slots::open(target, device)?;
        let (rows, width) = (self.height() as u64, self.width());

        self.show(slots::layout(device, self.zoom, rows, width));
        Ok(Pass::Slots(slots))
    }

    /// Takes a layout, and scrolls up to its last rows if it has become shorter.
    fn show(&mut self, layout: Layout) {
        let last = layout.len().saturating_sub(self.height() as u64);

        self.first = self.first.min(last);
        self.layout = layout;
    }

    /// Reads some more pages. Returns why there are none any more.
    ///
    /// # Errors
    ///
    /// The process cannot be read.
    pub fn step(&mut self) -> Result<Option<String>> {
        let stepped = match &mut self.pass {
            Pass::None => Ok(true),
            Pass::Pages(source) => self.fold.step(source),
            Pass::Slots(slots) => slots.step(&mut self.fold),
        };

        if matches!(stepped, Ok(true)) {
            let next = Fold::new(&[], Vec::new(), 1);
            let done = std::mem::replace(&mut self.fold, next);
            self.counts = [self.counts[1], Some(done.total())];
            self.done = Some(done);
            self.complete = true;
        }
        self.unless_gone(stepped.map(|_| ()))
    }

    fn is_gone(&self) -> bool {
        self.target.as_ref().is_ok_and(Target::is_gone)
    }

    /// The reason why a view has nothing to show.
    pub fn missing(&self) -> Option<String> {
        match (&self.target, self.view) {
            (_, View::Memory) => None,
            (Err(why), _) => Some(format!("not known: {why}")),
            (_, View::Swap) if self.devices.shown().is_none() => {
                Some("no swap device is on".to_string())
            }
            (_, View::Events) if !self.events.recorded => {
                Some("the process is not traced; `xpagemap watch --trace` does that".to_string())
            }
            _ => None,
        }
    }

    /// Does what a key asks for; the next pass shows it.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Quit => {}
            Change::NextView => self.switch(match self.view {
                View::Memory => View::Swap,
                View::Swap => View::Events,
                View::Events => View::Memory,
            }),
            Change::View('2') => self.switch(View::Swap),
            Change::View('3') => self.switch(View::Events),
            Change::View(_) => self.switch(View::Memory),
            Change::NextDevice => {
                self.devices.next();
                self.switch(self.view);
            }
            Change::Zoom(by) => self.zoom(by),
            Change::Fit => self.zoom = None,
            Change::Scroll(rows) => self.scroll(rows),
            Change::Page(screens) => {
                let height = i64::try_from(self.height()).unwrap_or(1);
                self.scroll(screens * (height - 1).max(1));
            }
        }
        // The pass begins anew, with other rows.
        self.complete = true;
    }

    fn switch(&mut self, view: View) {
        self.view = view;
        self.zoom = None;
        self.first = 0;
        self.done = None;
        self.counts = [None, None];
    }

    /// Keeps the page at the top where it is.
    fn zoom(&mut self, by: i32) {
        let top = self
            .layout
            .rows(self.first, 1)
            .first()
            .map(|row| row.pages.start);
        let shift = self
            .layout
            .per_cell
            .trailing_zeros()
            .saturating_add_signed(by)
            .min(40);

        self.zoom = Some(shift);
        let mappings = self.layout.mappings().to_vec();
        self.layout = Layout::new(mappings, 1 << shift, self.width());
        self.first = top.map_or(0, |page| self.layout.row_of(page));
    }

    fn scroll(&mut self, rows: i64) {
        let last = self.layout.len().saturating_sub(self.height() as u64);

        self.first = self.first.saturating_add_signed(rows).min(last);
    }
}
