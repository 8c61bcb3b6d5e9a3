//! Regular expressions as FHIR's authors mean them: Java's, read by Rust's engine.
//!
//! Java's `\s`, `\d`, `\w` are ASCII, Rust's are Unicode: they are spelled out. A dot matches line ends too (FHIRPath
//! 5.6.9 "single line mode"). Rust's engine runs in linear time whatever the pattern is, so no pattern can hang; its
//! compiled size is limited. Look-around and back references, which it does not have, are refused.

use regex::{Regex, RegexBuilder};

/// What a compiled pattern may take, in bytes.
const LARGEST: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern; `None` if it is none, or too large.
    pub fn new(text: &str) -> Option<Self> {
        let built = RegexBuilder::new(&with_ascii_classes(text))
            .dot_matches_new_line(true)
            .size_limit(LARGEST)
            .dfa_size_limit(LARGEST)
            .nest_limit(64)
            .build();
        built.ok().map(Self)
    }

    /// Compiles a pattern that must match a whole text.
    pub fn whole(text: &str) -> Option<Self> {
        Self::new(&format!("^(?:{text})$"))
    }

    /// Whether some part of the text matches.
    pub fn finds(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The text with every match replaced; `$1` in the replacement is a group.
    pub fn replace(&self, text: &str, replacement: &str) -> String {
        self.0.replace_all(text, with_braced_groups(replacement)).into_owned()
    }
}

/// Java reads `$1x` as group 1 and an `x`, Rust as a group named `1x`.
fn with_braced_groups(replacement: &str) -> String {
    let mut braced = String::with_capacity(replacement.len() + 4);
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('$') => braced.push_str("$$"),
                Some(other) => braced.push(other),
                None => {}
            },
            '$' => {
                let digit = characters.next_if(char::is_ascii_digit);
                match digit {
                    Some(digit) => {
                        braced.push_str("${");
                        braced.push(digit);
                        braced.push('}');
                    }
                    None => braced.push('$'),
                }
            }
            other => braced.push(other),
        }
    }
    braced
}

/// The pattern with `\s`, `\d`, `\w` and their opposites as ASCII.
fn with_ascii_classes(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len() + 16);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            spelled.push(character);
            continue;
        }
        match characters.next() {
            Some('s') => spelled.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => spelled.push_str(r"[^ \t\n\x0B\f\r]"),
            Some('d') => spelled.push_str("[0-9]"),
            Some('D') => spelled.push_str("[^0-9]"),
            Some('w') => spelled.push_str("[a-zA-Z_0-9]"),
            Some('W') => spelled.push_str("[^a-zA-Z_0-9]"),
            // Java takes an escaped line end or quote as itself; so does the engine, but for a few letters.
            Some(other) => {
                spelled.push('\\');
                spelled.push(other);
            }
            None => spelled.push('\\'),
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ascii_and_dots_match_line_ends() {
        assert!(Pattern::new(r"^[ \r\n\t\S]+$").unwrap().finds("a\u{a0}b"));
        assert!(!Pattern::new(r"^\s$").unwrap().finds("\u{a0}"));
        assert!(!Pattern::new(r"^\d+$").unwrap().finds("٣"));
        assert!(Pattern::new("A.*B").unwrap().finds("A\n\tB"));
        assert!(Pattern::new(r"^[^\s\.,:;\'\x22\/|?!@#$%&*()\[\]{}]{1,64}$").unwrap().finds("abc"));
        assert!(!Pattern::whole("Library").unwrap().finds("aLibrary"));
    }

    #[test]
    fn too_large_patterns_are_refused_at_once() {
        assert!(Pattern::new("(a{1000}){1000}{1000}").is_none());
        assert!(Pattern::new(&"(".repeat(10_000)).is_none());
        assert!(Pattern::new("(?=a)").is_none());
    }

    #[test]
    fn groups_are_replaced_as_java_does() {
        let pattern = Pattern::new("(a)(b)").unwrap();
        assert_eq!(pattern.replace("xab", "$2$1x"), "xbax");
        assert_eq!(pattern.replace("ab", r"\$1"), "$1");
    }
}
