use chrono::NaiveDate;

use super::*;

/// A Thursday.
const NOW: &str = "2024-05-16T10:00:00Z";

fn times(question: &str) -> Times {
    Times::of(question, NOW.parse().expect("a moment"))
}

fn found(question: &str) -> Vec<String> {
    times(question).periods.iter().map(|period| format!("{} {}", period.from, period.until)).collect()
}

fn rest(question: &str) -> String {
    times(question).rest(question).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Each is one period, and no word of it is content.
fn each_is(cases: &[(&str, &str)]) {
    for (phrase, expected) in cases {
        assert_eq!(found(&format!("Whom did I meet {phrase}?")), [*expected], "{phrase}");
        assert_eq!(rest(&format!("Whom did I meet {phrase}?")), "Whom did I meet ?", "{phrase}");
        let first = format!("{}{}", phrase[..1].to_uppercase(), &phrase[1..]);
        assert_eq!(found(&format!("{first}, whom did I meet?")), [*expected], "{first}, …");
    }
}

#[test]
fn dates_with_a_year() {
    each_is(&[
        ("on 8 May 2023", "2023-05-08 2023-05-09"),
        ("on the 8th of May, 2023", "2023-05-08 2023-05-09"),
        ("on May 8, 2023", "2023-05-08 2023-05-09"),
        ("on May 8th 2023", "2023-05-08 2023-05-09"),
        ("on Monday, 8 May 2023", "2023-05-08 2023-05-09"),
        ("on Mon, May 8th, 2023", "2023-05-08 2023-05-09"),
        ("8-May-2023", "2023-05-08 2023-05-09"),
        ("in May 2023", "2023-05-01 2023-06-01"),
        ("in early May of 2023", "2023-05-01 2023-06-01"),
        ("at the end of May 2023", "2023-05-01 2023-06-01"),
        ("in mid-May 2023", "2023-05-01 2023-06-01"),
        ("in Sept 2023", "2023-09-01 2023-10-01"),
        ("in May last year", "2023-05-01 2023-06-01"),
        ("in May of this year", "2024-05-01 2024-06-01"),
        ("in 2021", "2021-01-01 2022-01-01"),
        ("in Q2 2023", "2023-04-01 2023-07-01"),
        ("in the second quarter of 2023", "2023-04-01 2023-07-01"),
        ("in 2023-Q2", "2023-04-01 2023-07-01"),
        ("in H1 2023", "2023-01-01 2023-07-01"),
        ("in the summer of 2023", "2023-06-01 2023-09-01"),
    ]);
}

#[test]
fn dates_in_digits() {
    each_is(&[
        ("on 2023-05-08", "2023-05-08 2023-05-09"),
        ("2023/05/08", "2023-05-08 2023-05-09"),
        ("2023.5.8", "2023-05-08 2023-05-09"),
        ("5/8/2023", "2023-05-08 2023-05-09"),
        ("on 5/8/23", "2023-05-08 2023-05-09"),
        ("8.5.2023", "2023-05-08 2023-05-09"),
        ("8-5-2023", "2023-05-08 2023-05-09"),
        ("29.2.2024", "2024-02-29 2024-03-01"),
        ("2/29/2024", "2024-02-29 2024-03-01"),
        ("08.05.2023", "2023-05-08 2023-05-09"),
        ("05/08/2023", "2023-05-08 2023-05-09"),
        // no such month: the other order
        ("25/8/2023", "2023-08-25 2023-08-26"),
        ("8/25/2023", "2023-08-25 2023-08-26"),
        ("8.25.2023", "2023-08-25 2023-08-26"),
        ("in 2023-05", "2023-05-01 2023-06-01"),
        ("2023/05", "2023-05-01 2023-06-01"),
        ("05/2023", "2023-05-01 2023-06-01"),
        ("in 05.2023", "2023-05-01 2023-06-01"),
        ("at 2023-05-08T10:30:00Z", "2023-05-08 2023-05-09"),
        ("at 2023-05-08T10:30:00.123+02:00", "2023-05-08 2023-05-09"),
        ("on 2023-05-08 10:30", "2023-05-08 2023-05-09"),
    ]);
    assert_eq!(found("on 5/8").last().map(String::as_str), Some("2024-05-08 2024-05-09"));
}

#[test]
fn relative_times_are_seen_from_now() {
    each_is(&[
        ("today", "2024-05-16 2024-05-17"),
        ("this morning", "2024-05-16 2024-05-17"),
        ("earlier today", "2024-05-16 2024-05-17"),
        ("yesterday", "2024-05-15 2024-05-16"),
        ("yesterday evening", "2024-05-15 2024-05-16"),
        ("last night", "2024-05-15 2024-05-16"),
        ("the day before yesterday", "2024-05-14 2024-05-15"),
        ("day before yesterday", "2024-05-14 2024-05-15"),
        ("the other day", "2024-05-09 2024-05-16"),
        ("last week", "2024-05-06 2024-05-13"),
        ("this week", "2024-05-13 2024-05-20"),
        ("earlier this week", "2024-05-13 2024-05-20"),
        ("the week before last", "2024-04-29 2024-05-06"),
        ("last weekend", "2024-05-11 2024-05-13"),
        ("on the weekend", "2024-05-11 2024-05-13"),
        ("last month", "2024-04-01 2024-05-01"),
        ("this month", "2024-05-01 2024-06-01"),
        ("last quarter", "2024-01-01 2024-04-01"),
        ("this quarter", "2024-04-01 2024-07-01"),
        ("last year", "2023-01-01 2024-01-01"),
        ("this year", "2024-01-01 2025-01-01"),
        ("last May", "2023-05-01 2023-06-01"),
        ("this March", "2024-03-01 2024-04-01"),
        ("last summer", "2023-06-01 2023-09-01"),
        ("in Q1", "2024-01-01 2024-04-01"),
        ("three days ago", "2024-05-13 2024-05-14"),
        ("eleven days ago", "2024-05-05 2024-05-06"),
        ("thirty days ago", "2024-04-16 2024-04-17"),
        ("twenty-one days ago", "2024-04-25 2024-04-26"),
        ("twenty one days ago", "2024-04-25 2024-04-26"),
        ("a couple of days ago", "2024-05-14 2024-05-15"),
        ("a few days ago", "2024-05-11 2024-05-15"),
        ("2 weeks ago", "2024-04-29 2024-05-06"),
        ("a fortnight ago", "2024-04-29 2024-05-06"),
        ("a month ago", "2024-04-01 2024-05-01"),
        ("a year ago", "2023-01-01 2024-01-01"),
        ("a year ago today", "2023-05-16 2023-05-17"),
        ("an hour ago", "2024-05-16 2024-05-17"),
        ("in the last 7 days", "2024-05-09 2024-05-17"),
        ("last 7 days", "2024-05-09 2024-05-17"),
        ("over the past two weeks", "2024-05-02 2024-05-17"),
        ("in the past month", "2024-04-16 2024-05-17"),
        ("during the last few days", "2024-05-11 2024-05-17"),
        ("in the last 24 hours", "2024-05-15 2024-05-17"),
        ("in the previous three months", "2024-02-16 2024-05-17"),
        ("in the last two weeks", "2024-05-02 2024-05-17"),
        ("three months ago", "2024-02-01 2024-03-01"),
        ("earlier this year", "2024-01-01 2025-01-01"),
        ("two days before yesterday", "2024-05-13 2024-05-14"),
        ("a day before yesterday", "2024-05-14 2024-05-15"),
        ("a few days before yesterday", "2024-05-10 2024-05-14"),
        ("two weeks before last Friday", "2024-04-26 2024-04-27"),
        ("a week before May 8, 2023", "2023-05-01 2023-05-02"),
        ("the day before May 8, 2023", "2023-05-07 2023-05-08"),
        ("the day after 2023-05-08", "2023-05-09 2023-05-10"),
        ("three days after 8.5.2023", "2023-05-11 2023-05-12"),
    ]);
}

#[test]
fn days_of_the_week_are_the_last_of_their_name() {
    each_is(&[
        ("on Tuesday", "2024-05-14 2024-05-15"),
        ("Tuesday", "2024-05-14 2024-05-15"),
        ("on tuesday morning", "2024-05-14 2024-05-15"),
        ("on Wed", "2024-05-15 2024-05-16"),
        ("last Tuesday", "2024-05-14 2024-05-15"),
        ("last Thursday", "2024-05-09 2024-05-10"),
        ("on Thursday", "2024-05-16 2024-05-17"),
        ("last Friday night", "2024-05-10 2024-05-11"),
        ("on Tuesday last week", "2024-05-07 2024-05-08"),
        ("last week on Tuesday", "2024-05-07 2024-05-08"),
        ("two Fridays ago", "2024-05-03 2024-05-04"),
    ]);
}

#[test]
fn times_that_are_open_to_one_side_or_go_from_one_to_another() {
    let (min, max) = (NaiveDate::MIN, NaiveDate::MAX);
    for (phrase, expected) in [
        ("before May 2023", format!("{min} 2023-05-01")),
        ("until May 2023", format!("{min} 2023-06-01")),
        ("by the end of May 2023", format!("{min} 2023-06-01")),
        ("prior to 2023", format!("{min} 2023-01-01")),
        ("before last week", format!("{min} 2024-05-06")),
        ("before 5/8/2023", format!("{min} 2023-05-08")),
        ("since March", format!("2024-03-01 {max}")),
        ("since June", format!("2023-06-01 {max}")),
        ("since 2023", format!("2023-01-01 {max}")),
        ("since Tuesday", format!("2024-05-14 {max}")),
        ("since last Monday", format!("2024-05-13 {max}")),
        ("since 8.5.2023", format!("2023-05-08 {max}")),
        ("since three months ago", format!("2024-02-01 {max}")),
        ("before the day before yesterday", format!("{min} 2024-05-14")),
        ("between 5/8/2023 and 5/12/2023", "2023-05-08 2023-05-13".to_owned()),
        ("from 2023-05 to 2023-07", "2023-05-01 2023-08-01".to_owned()),
        ("between last Monday and yesterday", "2024-05-13 2024-05-16".to_owned()),
        ("since the day before yesterday", format!("2024-05-14 {max}")),
        ("since two weeks", "2024-05-02 2024-05-17".to_owned()),
        ("after May 8, 2023", format!("2023-05-09 {max}")),
        ("after 2022", format!("2023-01-01 {max}")),
        ("between March and May 2023", "2023-03-01 2023-06-01".to_owned()),
        ("from May 2023 to July", "2023-05-01 2023-08-01".to_owned()),
        ("between 2021 and 2023", "2021-01-01 2024-01-01".to_owned()),
        ("from Monday to Wednesday", "2024-05-13 2024-05-16".to_owned()),
    ] {
        each_is(&[(phrase, &expected)]);
    }
}

#[test]
fn a_month_or_day_without_a_year_is_that_of_any_year_that_has_come() {
    let mays = found("What did we plan in May?");
    assert_eq!(mays.len(), 11);
    assert_eq!(mays.last().map(String::as_str), Some("2024-05-01 2024-06-01"));
    let junes = found("What did we plan in June?");
    assert_eq!(junes.last().map(String::as_str), Some("2023-06-01 2023-07-01"));
    assert_eq!(
        found("What did we do on 25 December?").last().map(String::as_str),
        Some("2023-12-25 2023-12-26")
    );
    assert_eq!(rest("What did we plan on May 5th"), "What did we plan");
}

#[test]
fn words_that_only_look_like_times_are_none() {
    for question in [
        "What may I eat?",
        "May I ask something?",
        "Did June call?",
        "Who won the march?",
        "in the march for peace",
        "Room 2101",
        "room 2024",
        "the last of us",
        "the last day of school",
        "wait a second, the second one",
        "31 bottles",
        "99999999999999999999 days ago",
        "INV-2024-00317",
        "2024-00317",
        "2025-05-08.txt",
        "version 2.5.2023.4",
        "2025-02-30",
        "31.2.2023",
        "13/13/2023",
        "31/4/2023",
        "29.2.2023",
        "2/30/2023",
        "0/5/2023",
        "00.00.2023",
        "2023-13-01",
        "2023-05-32",
        "2023-13",
        "13/2023",
        "2023-00",
        "1/2 of it",
        "v2.10.3 and 2.10.3",
        "+49 30 12345678, 030/12345678, 555-0199",
        "ABC-123",
        "🎉 is a party",
        "Was geschah gestern, am 8. Mai oder letzte Woche?",
        "¿Qué pasó ayer?",
        "two weeks before the wedding, a day after the storm",
        "192.168.1.10",
        "at 10:30, 5 pm or noon",
        "Is 5 may be enough?",
        "Every Tuesday, on Tuesdays, next Tuesday",
        "What is on tomorrow, next week, the day after tomorrow, next May?",
        "Black Friday deals",
        "the song “Yesterday” and the film \"Friday\"",
        "a few days of rest",
        "spring cleaning and the fall of Rome",
        "",
    ] {
        assert_eq!(found(question), Vec::<String>::new(), "{question}");
        assert_eq!(times(question).rest(question), question);
    }
}

#[test]
fn what_may_be_a_time_and_something_else_stays_content() {
    for question in [
        "Tuesday's child is full of grace",
        "the Monday meeting of the board",
        "What did Bob say before June left?",
        "the budget 2023 draft",
        "in 2000 steps",
        "in June's opinion",
    ] {
        assert!(!found(question).is_empty(), "{question}");
        assert_eq!(times(question).rest(question), question);
    }
}

#[test]
fn the_rest_is_what_is_asked() {
    assert_eq!(rest("What did I do last week?"), "What did I do ?");
    assert_eq!(rest("Yesterday's lunch with Ann"), "lunch with Ann");
    assert_eq!(
        rest("Where did José stay in May 2023, and where on 2024-01-02?"),
        "Where did José stay , and where ?"
    );
    assert_eq!(found("Where did José stay in May 2023, and where on 2024-01-02?").len(), 2);
}

#[test]
fn the_words_of_dates_are_told_from_those_of_other_times() {
    let dates = |question: &str| times(question).dates(question);
    assert_eq!(
        dates("Where was I last week, on May 8, 2023, yesterday and since 2021-05-06?"),
        "on May 8, 2023 since 2021-05-06"
    );
    assert_eq!(dates("What did I do eleven days ago, on Tuesday?"), "");
}

#[test]
fn a_long_text_is_read_to_its_end_and_gives_a_bounded_number() {
    let long = format!("{} What did I eat yesterday?", "some words of a mail. ".repeat(3000));
    assert_eq!(found(&long), ["2024-05-15 2024-05-16"]);
    let dates = format!("{} What did I eat yesterday?", "in May, on 2023-05-08. ".repeat(3000));
    assert_eq!(found(&dates).len(), MOST_PERIODS);
    assert_eq!(found(&dates).last().map(String::as_str), Some("2024-05-15 2024-05-16"));
}
