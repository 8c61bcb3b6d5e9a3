//! Writing trees: compact ([`Display`](std::fmt::Display)) and indented.

use std::fmt::{self, Write};

use super::Value;

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write(self, &mut text);
        formatter.write_str(&text)
    }
}

impl Value {
    /// The value as compact JSON text. Unlike `to_string` it writes straight into its buffer.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(256);
        write(self, &mut text);
        text
    }

    /// The value as JSON indented by two spaces, with a line feed at the end.
    pub fn to_pretty(&self) -> String {
        let mut text = String::new();
        write_pretty(self, 0, &mut text);
        text.push('\n');
        text
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.as_text()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (index, (name, value)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn write_pretty(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                start_line(index, depth + 1, out);
                write_pretty(item, depth + 1, out);
            }
            end_line(depth, out);
            out.push(']');
        }
        Value::Object(object) if !object.is_empty() => {
            out.push('{');
            for (index, (name, value)) in object.iter().enumerate() {
                start_line(index, depth + 1, out);
                write_string(name, out);
                out.push_str(": ");
                write_pretty(value, depth + 1, out);
            }
            end_line(depth, out);
            out.push('}');
        }
        other => write(other, out),
    }
}

fn start_line(index: usize, depth: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
    end_line(depth, out);
}

fn end_line(depth: usize, out: &mut String) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Writes a string with the escapes that JSON demands and no others. Runs without one are copied whole.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(index) =
        rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (clean, escaped) = rest.split_at(index);
        out.push_str(clean);
        let mut characters = escaped.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                // Writing into a String can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}
