//! What Postgres can hold, whoever wrote it: the checks of what an export has, where the limits of calls do not hold.

use serde_json::value::RawValue;

use super::fields::bounded;
use crate::error::{Error, Result};

/// The deepest metadata that comes in again: what parses it, here and in Postgres, has a stack.
const DEPTH: usize = 1000;
/// Digits of a numeric before and after the decimal point.
const WHOLE_DIGITS: i64 = 131_072;
const FRACTION_DIGITS: i64 = 16_383;

/// A text of any length.
pub fn storable_text(field: &str, value: &str) -> Result<()> {
    bounded(field, value, usize::MAX)
}

/// A value of any size that `jsonb` takes. It is not parsed: no type of ours holds every number and depth.
pub fn storable_json(field: &str, value: &RawValue) -> Result<()> {
    let mut depth = 0;
    let mut rest = value.get().as_bytes();
    while let [first, after @ ..] = rest {
        rest = match first {
            b'"' => string(field, after)?,
            b'-' | b'0'..=b'9' => number(field, rest)?,
            b'{' | b'[' => {
                depth += 1;
                after
            }
            b'}' | b']' => {
                depth -= 1;
                after
            }
            _ => after,
        };
        if depth > DEPTH {
            let problem = format!("is nested deeper than {DEPTH} levels");
            return Err(Error::invalid(field, problem).with("limit", DEPTH));
        }
    }
    Ok(())
}

/// What follows a string that is well-formed JSON.
fn string<'a>(field: &str, mut rest: &'a [u8]) -> Result<&'a [u8]> {
    loop {
        rest = match rest {
            [b'\\', b'u', after @ ..] => escape(field, after)?,
            [b'\\', _, after @ ..] => after,
            [b'"', after @ ..] => return Ok(after),
            [_, after @ ..] => after,
            [] => return Ok(rest),
        };
    }
}

/// What follows the digits of an escaped character, of a surrogate pair those of both halves.
fn escape<'a>(field: &str, digits: &'a [u8]) -> Result<&'a [u8]> {
    let half = || Error::invalid(field, "has half of a surrogate pair, which is no Unicode text");
    let (unit, rest) = code_unit(digits).ok_or_else(half)?;
    match unit {
        0 => Err(Error::invalid(field, "a string with a NUL character cannot be stored")),
        0xd800..=0xdbff => {
            let low = rest.strip_prefix(br"\u").and_then(code_unit);
            low.filter(|(low, _)| (0xdc00..=0xdfff).contains(low)).map(|(_, rest)| rest).ok_or_else(half)
        }
        0xdc00..=0xdfff => Err(half()),
        _ => Ok(rest),
    }
}

fn code_unit(rest: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = rest.split_at_checked(4)?;
    Some((u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?, rest))
}

/// What follows a number.
fn number<'a>(field: &str, rest: &'a [u8]) -> Result<&'a [u8]> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    let (number, rest) = rest.split_at(end);
    if is_numeric(number) { Ok(rest) } else { Err(Error::invalid(field, "has a number that is too long")) }
}

/// Whether Postgres has a numeric for it; a few that have very long exponents it would take, too.
fn is_numeric(number: &[u8]) -> bool {
    let (digits, exponent) = match number.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&number[..at], std::str::from_utf8(&number[at + 1..]).unwrap_or_default().parse().ok()),
        None => (number, Some(0_i64)),
    };
    let Some(exponent) = exponent else { return false };
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let length = |part: &[u8]| i64::try_from(part.len()).unwrap_or(i64::MAX);
    let (whole, fraction) = (length(&digits[..point]), length(digits.get(point + 1..).unwrap_or_default()));
    whole.saturating_add(exponent.max(0)) <= WHOLE_DIGITS
        && fraction.saturating_sub(exponent.min(0)) <= FRACTION_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<()> {
        storable_json("metadata", &RawValue::from_string(json.to_owned()).expect("JSON"))
    }

    #[test]
    fn what_jsonb_takes_is_let_through() {
        let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        let whole = "9".repeat(131_072);
        let fraction = format!("0.{}", "1".repeat(16_383));
        for json in [
            "{}",
            "[]",
            "17",
            r#""text""#,
            r#"{"a\"]}": "\\u0000", "b": "\u0001 \ud83d\ude00 \\"}"#,
            r#"{"n": [-0, -1.50, 1e400, 1E-400, 12345678901234567890123]}"#,
            &deep,
            &whole,
            &fraction,
        ] {
            check(json).unwrap_or_else(|error| panic!("{error}: {}", &json[..json.len().min(80)]));
        }
    }

    #[test]
    fn what_jsonb_refuses_is_refused_before_it_gets_there() {
        let deep = format!("{}{}", "[".repeat(DEPTH + 1), "]".repeat(DEPTH + 1));
        let whole = "9".repeat(131_073);
        let fraction = format!("0.{}", "1".repeat(16_384));
        for json in [
            r#"{"a": "\u0000"}"#,
            r#"{"\u0000": 1}"#,
            r#"{"a": "\\\u0000"}"#,
            r#"["\ud800"]"#,
            r#"["\ud800x"]"#,
            r#"["\ud800\u0041"]"#,
            r#"["\udc00"]"#,
            "[1e131072]",
            "[1e-16384]",
            "[1e99999999999999999999]",
            &deep,
            &whole,
            &fraction,
        ] {
            assert!(check(json).is_err(), "{}", &json[..json.len().min(80)]);
        }
    }
}
