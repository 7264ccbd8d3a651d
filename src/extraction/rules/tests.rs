//! The rules measured on labelled sentences, and on input that is no prose at all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::*;

const LABELLED: &str = include_str!("testdata/labelled.txt");
const FRESH: &str = include_str!("testdata/fresh.txt");

#[derive(Default)]
struct Score {
    right: usize,
    found: usize,
    expected: usize,
    mistakes: Vec<String>,
}

impl Score {
    fn add(&mut self, sentence: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) {
        self.right += found.intersection(expected).count();
        self.found += found.len();
        self.expected += expected.len();
        self.mistakes.extend(found.difference(expected).map(|f| format!("invented {f:?} in {sentence:?}")));
        self.mistakes.extend(expected.difference(found).map(|e| format!("missed {e:?} in {sentence:?}")));
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a test file")]
    fn ratio(part: usize, whole: usize) -> f64 {
        part as f64 / whole as f64
    }

    fn summary(&self) -> String {
        let (precision, recall) =
            (Self::ratio(self.right, self.found), Self::ratio(self.right, self.expected));
        format!("precision {precision:.3}, recall {recall:.3} over {} labels", self.expected)
    }

    fn assert_at_least(&self, precision: f64, recall: f64) {
        let report = format!("{}\n{}", self.summary(), self.mistakes.join("\n"));
        println!("{report}");
        let enough = Self::ratio(self.right, self.found) >= precision
            && Self::ratio(self.right, self.expected) >= recall;
        assert!(enough, "{report}");
    }
}

fn labels(line: &str, separator: char) -> BTreeSet<String> {
    line.split(separator).map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

fn entities(extraction: &Extraction) -> BTreeSet<String> {
    extraction.found.iter().map(|f| format!("{}: {}", f.kind.name(), f.value)).collect()
}

fn relations(extraction: &Extraction) -> BTreeSet<String> {
    let value = |index: usize| extraction.found[index].value.as_str();
    let relation = |r: &Relation| format!("{} {} {}", value(r.from), r.kind.name(), value(r.to));
    extraction.relations.iter().map(relation).collect()
}

fn extract_plain(text: &str) -> Extraction {
    extract(text, &Hints::default())
}

/// Entities by type, and relations, of all sentences of a file.
fn measure(file: &str) -> (BTreeMap<Kind, Score>, Score) {
    let (mut named, mut related) = (BTreeMap::<Kind, Score>::new(), Score::default());
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((sentence, expected)) = line.split_once(" =>") else { panic!("no label: {line}") };
        let (expected_entities, expected_relations) = expected.split_once('~').unwrap_or((expected, ""));
        let sentence = sentence.replace("\\n", "\n");
        let extraction = extract_plain(&sentence);
        let (found, wanted) = (entities(&extraction), labels(expected_entities, '|'));
        for kind in Kind::ALL {
            let of_kind = |all: &BTreeSet<String>| {
                all.iter().filter(|label| label.starts_with(&format!("{}:", kind.name()))).cloned().collect()
            };
            named.entry(kind).or_default().add(&sentence, &of_kind(&found), &of_kind(&wanted));
        }
        related.add(&sentence, &relations(&extraction), &labels(expected_relations, ';'));
    }
    (named, related)
}

fn together(scores: BTreeMap<Kind, Score>) -> Score {
    scores.into_values().fold(Score::default(), |mut all, score| {
        all.right += score.right;
        all.found += score.found;
        all.expected += score.expected;
        all.mistakes.extend(score.mistakes);
        all
    })
}

#[test]
fn labelled_sentences() {
    let (named, related) = measure(LABELLED);
    together(named).assert_at_least(0.95, 0.9);
    related.assert_at_least(0.95, 0.9);
}

/// `npm run bench:extraction` prints this and the one above.
#[test]
fn fresh_sentences() {
    let (named, _) = measure(FRESH);
    for (kind, score) in named.iter().filter(|(_, score)| score.expected > 0) {
        println!("{:<10} {}", kind.name(), score.summary());
    }
    together(named).assert_at_least(0.95, 0.85);
}

/// Text in which nothing is named: whatever is found there is invented.
#[test]
fn invents_nothing() {
    for text in [
        "",
        " \n\t ",
        "We Should Talk About The New Office Layout And The Budget",
        "URGENT: SERVER DOWN, CALL ME, SARAH CHEN DOES NOT ANSWER",
        "Hello World! This Is A Test.",
        "Yesterday was fun. Tomorrow will be better. Maybe.",
        "Sincerely yours, and Merry Christmas",
        "- Bread\n- Butter\n- Milk And Honey\n- Rye",
        "Subject: Weekly Report\nDate: Monday, 4 May 2026\nPriority: High",
        "fn main() { let Grant = Mark::new(); println!(\"{}\", Will); }",
        "See https://example.com/in/Sarah-Chen and C:\\Users\\Sarah\\Documents.",
        "The CEO met the CFO. The Director of Engineering left.",
        "Windows Server, Visual Studio and Google Cloud Platform are installed.",
        "I'm, You're, We'll, Don't, Can't.",
        "Time zones: Europe/Berlin, Asia/Bahrain and germany/Sweden.txt.",
        "Thanks to @Tim-Smart for #Sarah and Anna/Tom.",
        "Was ist das für ein Haus? Die Straße ist lang. Das Wetter wird Morgen gut.",
        "今日は東京で会議があります。よろしくお願いします。",
        "Сегодня мы встречаемся в офисе. Привет!",
        "مرحبا، كيف حالك اليوم؟",
        "🎉🎉🎉 !!! ??? *** --- ___",
        "version 1.2.3, build 20260314, sha 9f86d081, 10:45 AM",
        "To be or not to be. In general, at last, from here, to there.",
        "May I ask? Will it rain? Can Art heal? Hope is all. Grace period ended.",
    ] {
        let extraction = extract_plain(text);
        assert!(extraction.found.is_empty() && extraction.relations.is_empty(), "{text:?}: {extraction:?}");
    }
}

/// Words that turn a statement into something else leave no relation behind.
#[test]
fn relations_are_stated_not_guessed() {
    for text in [
        "Does Sarah Chen work for Acme Inc?",
        "If Sarah Chen works for Acme Inc, we should call her.",
        "Sarah Chen no longer works for Acme Inc.",
        "Sarah Chen worked for Acme Inc.",
        "A friend of Sarah Chen works for Acme Inc.",
        "Sarah Chen, former CEO of Acme Inc, left.",
        "Sarah Chen talked to Tom Baker about Project Apollo in Berlin.",
        "Maybe Anna reports to Tom.",
        "Sarah Chen met the CEO of Acme Inc.",
        "I met Sarah Chen at Acme Inc in Berlin.",
        "Sarah Chen, who met the CEO of Acme Inc, smiled.",
    ] {
        let extraction = extract_plain(text);
        assert!(!extraction.found.is_empty(), "{text}");
        assert_eq!(extraction.relations, [], "{text}");
    }
}

#[test]
fn headers_subject_and_body_speak_of_one_person() {
    let metadata = [
        ("From", "Bob Smith <bob.smith@acme.com>"),
        ("to", "\"Chen, Sarah\" <schen@acme.com>, billing@acme.com"),
        ("cc", "noreply@acme.com"),
        ("x-mailer", "Anna Jones"),
    ];
    let hints = Hints { subject: Some("Notes for Project Apollo"), metadata: &metadata };
    let extraction = extract("Hi Sarah,\n\nDr. Chen, Bob and I agree.\n\nBest,\nBob", &hints);
    let seen: Vec<_> = extraction.found.iter().map(|f| (f.value.as_str(), f.source.clone())).collect();
    assert_eq!(
        seen,
        [
            ("Bob Smith", Source::Metadata),
            ("Sarah Chen", Source::Metadata),
            ("Project Apollo", Source::Subject),
        ]
    );
}

#[test]
fn a_short_name_that_two_people_share_stays_on_its_own() {
    let extraction = extract_plain("Sarah Chen met Sarah Jones. I asked Sarah about it.");
    let normalized: Vec<_> = extraction.found.iter().map(|f| f.normalized.as_str()).collect();
    assert_eq!(normalized, ["sarah chen", "sarah jones", "sarah"]);
}

#[test]
fn an_entity_is_found_once_under_its_full_name() {
    let extraction =
        extract_plain("Anna called. Prof. Dr. Anna Weber works at Acme Inc. ACME, Inc. is in Oslo.");
    assert_eq!(entities(&extraction).len(), extraction.found.len());
    let person = &extraction.found[0];
    assert_eq!((person.value.as_str(), person.normalized.as_str()), ("Anna Weber", "anna weber"));
    assert_eq!(relations(&extraction).into_iter().next().as_deref(), Some("Anna Weber WORKS_FOR Acme Inc"));
}

#[test]
fn action_items_name_who_and_when_only_if_the_line_does() {
    let text = "TODO: call the bank\nAction item: Tom to send the deck by next Friday\n- [ ] renew passport (owner: Anna) due: 2026-05-01\n\
                TODO(priya): fix the build before end of the week\n- [x] done already\nTo do list: later";
    let extraction = extract_plain(text);
    let items = extraction.found.iter().filter(|f| f.kind == Kind::ActionItem);
    let seen: Vec<_> = items.map(|f| (f.assignee.as_deref(), f.deadline.as_deref())).collect();
    assert_eq!(
        seen,
        [
            (None, None),
            (Some("Tom"), Some("next Friday")),
            (Some("Anna"), Some("2026-05-01")),
            (Some("priya"), Some("end of the week")),
        ]
    );
}

#[test]
fn contexts_are_short_and_hold_the_finding() {
    let text = format!("{}we met Sarah Chen {}in Berlin.", "long ago ".repeat(80), "é ü ".repeat(90));
    for found in extract_plain(&text).found {
        assert!(found.context.chars().count() <= 160, "{}", found.context);
        assert!(found.context.contains(&found.value), "{found:?}");
    }
}

/// Input that is no prose: every prefix and suffix of odd pieces, in all neighbourhoods.
#[test]
fn total_for_any_input() {
    let odd = [
        "\0",
        "\u{feff}",
        "é",
        "e\u{301}",
        "🙂",
        "👩‍👩‍👧",
        "İ",
        "ß",
        "ﬁ",
        "\r\n",
        "\u{2028}",
        "'",
        "’s",
        "@",
        "a@b.co",
        "<",
        "(",
        "Dr.",
        "Inc",
        "&",
        "Co",
        "Project ",
        "the ",
        "in ",
        "Sarah",
        "Chen's",
        "van ",
        ",",
        ".",
        "TODO:",
        "- [ ] ",
        "J.",
        "O'",
        "-",
        "S.A.",
        "AG",
        "TX",
        "12",
        "—",
        "\"",
        "한국",
        "مرحبا",
        "नमस्ते",
    ];
    for a in odd {
        for b in odd {
            for c in ["", " ", "\n", "Sarah ", "🙂", "Inc."] {
                let text = format!("{a}{c}{b}{c}{a}");
                let metadata = [("from", text.as_str()), ("subject", text.as_str())];
                let extraction = extract(&text, &Hints { subject: Some(&text), metadata: &metadata });
                assert!(
                    extraction.found.iter().all(|f| !f.value.is_empty() && !f.normalized.is_empty()),
                    "{text:?}"
                );
                let in_range = |r: &Relation| r.from.max(r.to) < extraction.found.len() && r.from != r.to;
                assert!(extraction.relations.iter().all(in_range), "{text:?}");
            }
        }
    }
}

/// A cost that grows with the square of the length is far above the bound, a linear one far below it, on a
/// slow machine and without optimisation too.
#[test]
fn repetition_costs_linear_time() {
    for piece in [
        "Sarah Chen of Acme Inc. met Tom in Berlin. ",
        "Sarah ",
        "Sarah and ",
        "a@",
        "((((",
        "Dr. ",
        "A. ",
        "the Apollo ",
        "van ",
        "Acme & ",
        "Inc, ",
        "x",
        "é",
        "\n",
        "TODO: ",
        "in Paris, ",
        "- ",
        "Berlin, TX ",
        "\"",
        "<a@b.de> ",
        "S.A. ",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        let start = Instant::now();
        extract_plain(&text);
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_secs(40), "{piece:?}: {elapsed:?} for 100 KB");
    }
}
