// SPDX-License-Identifier: GPL-2.0

//! The words for what happened to a page; what repeats is said once.

/// The longest sequence of steps that is looked for as something that repeats.
const LONGEST: usize = 8;

/// How many repetitions, and steps that are none, are told of a page; there may be thousands.
const TOLD: usize = 12;

/// A change of the bit, and its cause.
pub type Step<'a> = (bool, &'a str);

/// The best way to begin `steps` with something that repeats: how long it is, and how often it is
/// there.
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

/// The words for a history: `new > (fork-share > cow-copy) x12 > free`.
pub fn phrase(mut steps: &[Step]) -> String {
    let mut words = Vec::new();

    while !steps.is_empty() {
        if words.len() == TOLD {
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
