//! Numbers in digits and in words.

use super::words::At;

const SPELLED: [&str; 19] = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];
const MOST: u32 = 1000;

/// How many: from the least to the most that it may mean, and in how many words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub least: u32,
    pub most: u32,
    pub words: usize,
}

/// 7, seven, twenty-one, a, a couple of, a few, several, a dozen.
pub fn amount(at: At) -> Option<Amount> {
    let exactly = |number: u32, words| Some(Amount { least: number, most: number, words });
    let article = usize::from(matches!(at.word(0), "a" | "the"));
    let of = |words: usize| words + usize::from(at.word(words) == "of");
    match at.word(article) {
        "couple" => return exactly(2, of(article + 1)),
        "dozen" => return exactly(12, article + 1),
        "few" => return Some(Amount { least: 2, most: 5, words: article + 1 }),
        "several" => return Some(Amount { least: 3, most: 9, words: article + 1 }),
        "hundred" => return exactly(100, article + 1),
        _ => {}
    }
    if matches!(at.word(0), "a" | "an") {
        return exactly(1, 1);
    }
    let (number, words) = number(at)?;
    exactly(number, words)
}

fn number(at: At) -> Option<(u32, usize)> {
    let word = at.word(0);
    if let Some(unit) = unit(word) {
        return Some((unit, 1));
    }
    if let Some(tens) = TENS.iter().position(|tens| *tens == word) {
        let tens = u32::try_from(10 * (tens + 2)).ok()?;
        return Some(match unit(at.word(1)).filter(|unit| *unit < 10) {
            Some(unit) => (tens + unit, 2),
            None => (tens, 1),
        });
    }
    let number = word.parse().ok().filter(|number| (1..=MOST).contains(number))?;
    // not of a longer one, as in 2.5 or 1/2
    (at.begins(0) && at.ends(1)).then_some((number, 1))
}

fn unit(word: &str) -> Option<u32> {
    u32::try_from(SPELLED.iter().position(|spelled| *spelled == word)? + 1).ok()
}

/// 1 to 4: first, 2nd.
pub fn ordinal(word: &str) -> Option<u32> {
    match word {
        "1st" => Some(1),
        "2nd" => Some(2),
        "3rd" => Some(3),
        "4th" => Some(4),
        _ => u32::try_from(ORDINALS.iter().position(|ordinal| *ordinal == word)? + 1).ok(),
    }
}
