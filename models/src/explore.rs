// SPDX-License-Identifier: GPL-2.0

//! Runs a model in every interleaving and collects the outcomes.
//!
//! A model returns an outcome and never panics: a test can name every outcome of a
//! design, violations included, and a panic is always a bug of the model.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use loom::model::Builder;

/// The steps of one execution, in the order loom ran them.
///
/// With weak memory the order alone does not explain a result: a step includes the
/// values that it read.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Vec<String>>>);

impl Trace {
    pub fn step(&self, text: impl Into<String>) {
        // std's lock, not loom's: never contended, and not an interleaving point.
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// All outcomes of a model, each with the first execution that led to it.
#[derive(Debug)]
pub struct Report<O> {
    pub executions: usize,
    pub outcomes: BTreeMap<O, Vec<String>>,
}

impl<O: Copy + Debug + Ord> Report<O> {
    pub fn seen(&self) -> Vec<O> {
        self.outcomes.keys().copied().collect()
    }

    /// Prints the outcomes, and the steps that led to `outcome` if it is among them.
    pub fn print(&self, outcome: O) {
        println!("{} executions, outcomes {:?}", self.executions, self.seen());
        for step in self.outcomes.get(&outcome).into_iter().flatten() {
            println!("    {step}");
        }
    }
}

/// Runs `model` in every interleaving. Limits set by loom's environment variables are
/// ignored.
pub fn explore<O>(model: impl Fn(Trace) -> O + Send + Sync + 'static) -> Report<O>
where
    O: Ord + Send + 'static,
{
    let report = Arc::new(Mutex::new(Report {
        executions: 0,
        outcomes: BTreeMap::new(),
    }));
    let seen = Arc::clone(&report);
    let mut builder = Builder::new();
    builder.preemption_bound = None;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.check(move || {
        let trace = Trace::default();
        let outcome = model(trace.clone());
        let mut report = seen.lock().unwrap_or_else(PoisonError::into_inner);
        report.executions += 1;
        report
            .outcomes
            .entry(outcome)
            .or_insert_with(|| trace.take());
    });
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    Report {
        executions: report.executions,
        outcomes: std::mem::take(&mut report.outcomes),
    }
}
