// SPDX-License-Identifier: GPL-2.0

//! Prints a page's history. Repeated sequences of steps are printed once.

/// Maximum length of a repeated sequence, in steps.
const LONGEST: usize = 8;

/// Maximum number of sequences and single steps printed for a page, which can have thousands.
const PRINTED: usize = 12;

/// A change (true: set) and its cause.
pub type Step<'a> = (bool, &'a str);

/// Finds the repeated sequence that covers most of the start of `steps`. Returns its length and the
/// number of repetitions.
fn repetition(steps: &[Step]) -> (usize, usize) {
    let mut best = (1, 1);

    for length in 1..=LONGEST.min(steps.len() / 2) {
        let mut chunks = steps.chunks_exact(length);
        let Some(first) = chunks.next() else { continue };
        let times = 1 + chunks.take_while(|chunk| *chunk == first).count();

        if times > 1 && length * times > best.0 * best.1 {
            best = (length, times);
        }
    }
    best
}

/// Formats a history: `new > (fork-share > cow-copy) x12 > free`.
pub fn phrase(mut steps: &[Step]) -> String {
    let mut words = Vec::new();

    while !steps.is_empty() {
        if words.len() == PRINTED {
            words.push(format!("{} more steps", steps.len()));
            break;
        }
        let (length, times) = repetition(steps);
        let causes: Vec<_> = steps[..length].iter().map(|(_, cause)| *cause).collect();
        let causes = causes.join(" > ");

        words.push(match (length, times) {
            (_, 1) => causes,
            (1, _) => format!("{causes} x{times}"),
            _ => format!("({causes}) x{times}"),
        });
        steps = &steps[length * times..];
    }
    words.join(" > ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_said_once() {
        let said = |causes: &[&'static str]| {
            let steps: Vec<Step> = causes.iter().map(|cause| (true, *cause)).collect();
            phrase(&steps)
        };
        assert_eq!(said(&[]), "");
        assert_eq!(said(&["new", "free"]), "new > free");
        assert_eq!(said(&["new", "ksm", "ksm", "ksm"]), "new > ksm x3");
        assert_eq!(
            said(&["a", "b", "c", "b", "c", "b", "c", "d"]),
            "a > (b > c) x3 > d"
        );
        assert_eq!(said(&["a", "a", "b", "a", "a", "b"]), "(a > a > b) x2");
    }

    #[test]
    fn a_page_of_many_changes_has_one_line() {
        let causes: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        let steps: Vec<Step> = causes.iter().map(|cause| (true, &**cause)).collect();
        assert!(phrase(&steps).ends_with("10 > 11 > 28 more steps"));
    }
}
