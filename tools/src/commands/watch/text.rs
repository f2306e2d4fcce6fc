// SPDX-License-Identifier: GPL-2.0

//! Texts that fit the screen.

/// Lines of at most `width` characters, broken at spaces.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();

    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// At most `room` characters: the end of a long name tells more than its start.
pub fn shortened(name: &str, room: usize) -> String {
    let length = name.chars().count();

    match length > room {
        true => {
            let end: String = name
                .chars()
                .skip((length + 2).saturating_sub(room))
                .collect();
            format!("..{end}")
        }
        false => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_names_are_kept() {
        assert_eq!(shortened("/memfd:frames", 13), "/memfd:frames");
        assert_eq!(shortened("/usr/lib/libc.so.6", 12), "../libc.so.6");
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrapped("not known: a: b", 10), ["not known:", "a: b"]);
        assert_eq!(wrapped("longer-than-that", 4), ["longer-than-that"]);
    }
}
