//! Golden vectors: SQL and Rust compute the same digests and keys, whatever the session's settings.

use crate::common::postgres::{Database, Sql};
use izzie_memory::extraction::{canonical_name, normalize, plain_name};
use izzie_memory::model::{
    EntityType, Label, PROJECTION_VERSION, Projection, RelationshipType, bucket, digest, entity_key,
};
use sqlx::Row;
use sqlx::types::Json;

const ID: &str = "11111111-1111-4111-8111-111111111111";

/// A row as other code writes it, with everything that is easily spelled in two ways.
const ROW: &str = r#"insert into public.memory_entries (id, user_id, content, summary, importance, created_at, metadata)
values ('11111111-1111-4111-8111-111111111111', 'Zoë ''7', E'Grüße\n"an" alle', null, 7, '2026-02-28 23:59:59.123456',
 '{"entities": [
    {"type": "person", "value": " Zoë  Quick ", "confidence": 0.1, "source": "subject", "context": "über"},
    {"type": "company", "value": "Acme", "normalized": "ACME", "confidence": 1.0},
    {"type": "tool", "value": "Excel", "confidence": 7}, {"type": "dragon", "value": "Smaug"}, 5, null]}')"#;

/// What each projection version has always computed. A change of the last one is a new version; the number alone made
/// the second one another.
const DIGESTS: [(i32, (i64, i64)); 2] =
    [(1, (1_153_709_197, 3_656_413_365)), (2, (4_229_185_706, 872_326_548))];

#[tokio::test]
async fn the_digest_is_the_same_in_sql_and_rust_and_over_time() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    sql.run("set timezone to 'Asia/Kathmandu'; set datestyle to 'German'; set extra_float_digits to 0").await;
    sql.run(ROW).await;
    let row = sql.rows("select h1, h2, bucket from izzie_memory.memory_state").await.remove(0);
    let stored: (i64, i64) = (row.get("h1"), row.get("h2"));
    let projection: Json<Projection> = sql.one(&format!("select izzie_memory.projection('{ID}')")).await;
    assert_eq!(digest(&projection.0), stored, "the Rust and the SQL digest");
    assert_eq!(Some(&(PROJECTION_VERSION, stored)), DIGESTS.last());
    assert_eq!((row.get::<i32, _>("bucket"), bucket(projection.0.memory_id)), (911, 911));
    let kinds: Vec<_> = projection.0.entities.iter().map(|e| (e.kind, e.normalized.as_str())).collect();
    assert_eq!(
        kinds,
        [(EntityType::Company, "acme"), (EntityType::Person, "zoe quick"), (EntityType::Tool, "excel")]
    );
    for (version, halves) in DIGESTS {
        assert_eq!(digest_in_version(&mut sql, version).await, halves, "version {version}");
    }
}

async fn digest_in_version(sql: &mut Sql, version: i32) -> (i64, i64) {
    sql.run(&format!(
        "create or replace function izzie_memory.projection_version() returns integer \
         language sql immutable parallel safe as 'select {version}'"
    ))
    .await;
    let select = "select izzie_memory.half(d.hash, 0) as h1, izzie_memory.half(d.hash, 1) as h2 \
        from public.memory_entries e join izzie_memory.memory_state s on s.memory_id = e.id, \
          lateral (select izzie_memory.digest(e.id, e.user_id, e.content, e.summary, coalesce(e.importance, 5), e.created_at, \
            s.entities, s.relationships) as hash) d";
    let row = sql.rows(select).await.remove(0);
    (row.get("h1"), row.get("h2"))
}

#[tokio::test]
async fn the_digest_does_not_depend_on_the_sessions_settings() {
    let mut digests = Vec::new();
    for settings in
        ["", "set timezone to 'America/St_Johns'; set datestyle to 'SQL, DMY'; set extra_float_digits to 3"]
    {
        let database = Database::migrated().await;
        let mut sql = database.connect().await;
        if !settings.is_empty() {
            sql.run(settings).await;
        }
        sql.run(ROW).await;
        digests.push(sql.one::<i64>("select h1 from izzie_memory.memory_state").await);
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test]
async fn entity_keys_are_the_same_in_sql_and_rust() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    for (user, label, name) in [
        ("u", Label::Person, "bob"),
        ("1:u", Label::Company, "acme"),
        ("ü", Label::Location, "são paulo"),
        ("u", Label::Topic, &"x".repeat(500)),
    ] {
        let key: String =
            sql.one(&format!("select izzie_memory.entity_key('{user}', '{}', '{name}')", label.name())).await;
        assert_eq!(key, entity_key(user, label, name));
    }
    assert_ne!(entity_key("ab", Label::Person, "c"), entity_key("a", Label::Person, "bc"));
    for kind in EntityType::ALL {
        let label: String = sql.one(&format!("select izzie_memory.entity_label('{}')", kind.name())).await;
        assert_eq!(label, kind.label().name());
    }
}

#[tokio::test]
async fn every_relationship_type_is_known_to_sql() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    for kind in RelationshipType::ALL {
        let stated = format!(
            r#"[{{"fromType": "person", "fromValue": "A", "toType": "person", "toValue": "B", "relationshipType": "{}"}}, 5, {{"relationshipType": "OWNS"}}]"#,
            kind.name()
        );
        let kept: i32 = sql
            .one(&format!("select jsonb_array_length(izzie_memory.canonical_relationships('{stated}'))"))
            .await;
        assert_eq!(kept, 1, "{}", kind.name());
    }
}

#[tokio::test]
async fn plain_names_are_the_same_in_sql_and_rust() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    for name in ["  Bob   SMITH\t", "ACME", "Straße 7", "x"] {
        let plain: String = sql.one(&format!("select izzie_memory.plain_name('{name}')")).await;
        assert_eq!(plain, plain_name(name));
    }
}

/// Rows of other code have names without a normal form: SQL gives them the one that the extractors give.
#[tokio::test]
async fn normal_names_are_the_same_in_sql_and_rust() {
    let database = Database::migrated().await;
    let mut sql = database.connect().await;
    let names = [
        "  Prof. Dr.  José\u{a0}GARCÍA ",
        "O’Brien",
        "Dr.",
        "Łukasz Żółć",
        "İlker",
        "bob.smith@ACME.com",
        "Mrs",
        "Herr Frau",
        "Acme, Inc.",
        "Nordwind GmbH & Co. KG",
        "Banco Azul S.A.",
        "Inc",
        "Smith & Sons Ltd",
        "and Co",
        "Volvo AB",
        "Project Apollo",
        "the project",
        "Project",
        "Apollo Project project",
        "São Paulo",
        "Straße",
        "ØRSTED Æther Œuvre",
        "C++",
        "C#.",
        "\"Atlas\"",
        "서울",
        "हिन्दी",
        "Май",
        "Đorđe",
        "?",
        "...",
        "🙂",
        " , ",
        "''",
        "&",
        "\u{200b}x",
        "a\tb\r\nc",
        "e\u{301}a\u{300}\u{301}",
        "().",
        "ſ",
        "ﬁne",
        "½",
        "l'Oréal S.p.A.",
        "Kraków\u{2028}Łódź",
        "john_doe",
        "JOHN  DOE",
        "Jean-Luc",
        "jean\u{2011}luc",
        "_john__doe_",
        "john - doe",
        "Bob_Smith@acme-corp.com",
        "@bob_smith",
        "acme_corp",
        "T-Mobile",
        "C--",
        "-5",
        "___",
        "- -",
        "_-_ a_- -a",
        "(-a)",
        "ΕΛΛΆΣ",
        "Ελλάς",
        "Королёв",
        "Андре́й Й",
        "ЇЖАК Київ",
        "GROẞE",
        "…x… —.",
        "Май.",
    ];
    for name in names {
        for kind in EntityType::ALL {
            let normal: String = sqlx::query_scalar("select izzie_memory.normal_name($1, $2)")
                .bind(kind.name())
                .bind(name)
                .fetch_one(&mut sql.0)
                .await
                .expect("total");
            assert_eq!(normal, normalize(kind, name), "{kind:?} {name:?}");
        }
    }
    let suffixes = "inc incorporated ltd limited llc l.l.c. llp plc corp corporation gmbh mbh ggmbh kgaa ohg s.a. s.p.a. spa \
        s.r.l. srl s.l. s.a.s. sarl b.v. n.v. oy oyj aps a/s asa s.r.o. a.s. d.o.o. kft pty pvt co ag ab se sa nv bv kg as";
    for suffix in suffixes.split_whitespace() {
        let name = format!("Acme {suffix}");
        let normal: String = sql.one(&format!("select izzie_memory.normal_name('company', '{name}')")).await;
        assert_eq!(
            (normal, normalize(EntityType::Company, &name)),
            ("acme".to_owned(), "acme".to_owned()),
            "{suffix}"
        );
    }
}

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Pieces of which names that are easily spelled in two ways consist.
const PIECES: &[&str] = &[
    "a",
    "B",
    "doe",
    "Dr.",
    "project",
    "Inc",
    "&",
    "co",
    "É",
    "ß",
    "ẞ",
    "İ",
    "ı",
    "Ø",
    "Æ",
    "œ",
    "ﬁ",
    "ſ",
    "½",
    "ﷺ",
    "e",
    "\u{301}",
    "\u{308}",
    "\u{306}",
    "\u{345}",
    "Σ",
    "ς",
    "Ά",
    "ΐ",
    "ᾼ",
    "Ё",
    "й",
    "Й",
    "ї",
    "е",
    "и",
    "Ж",
    "Ѓ",
    "Ґ",
    "ي",
    "أ",
    "ש",
    "हि",
    "한",
    "東",
    "ｶﾞ",
    "🙂",
    "👩‍💻",
    "-",
    "--",
    "_",
    "__",
    "\u{2010}",
    "\u{2011}",
    "–",
    "—",
    "…",
    "'",
    "’",
    "\"",
    "“",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ",",
    ".",
    "!",
    "?",
    ";",
    ":",
    "@",
    "#",
    "+",
    "/",
    "\\",
    "~",
    "`",
    "^",
    " ",
    "  ",
    "\t",
    "\n",
    "\u{a0}",
    "\u{85}",
    "\u{1680}",
    "\u{2003}",
    "\u{2028}",
    "\u{3000}",
    "\u{200b}",
    "\u{ad}",
    "\u{feff}",
    "\u{7f}",
    "\u{1}",
    "1",
    "２",
    "x@y.zz",
    "·",
    "®",
    "º",
];

/// Every spelling, however strange, has one name in SQL and in Rust, and that name stays what it is.
#[tokio::test]
async fn names_of_any_text_are_the_same_in_sql_and_rust_and_idempotent() {
    names_agree(&Database::migrated().await, 6000).await;
}

/// A locale that knows no letters beyond ASCII changes no name.
#[tokio::test]
async fn names_do_not_depend_on_the_locale() {
    let plain = Database::with("locale_provider libc locale 'C' template template0").await;
    names_agree(&plain.with_schema().await, 3000).await;
}

async fn names_agree(database: &Database, count: usize) {
    const SELECT: &str = "select izzie_memory.canonical_name(t, v, nullif(g, '')), \
        izzie_memory.normal_name(t, izzie_memory.canonical_name(t, v, nullif(g, ''))) \
        from unnest($1::text[], $2::text[], $3::text[]) with ordinality as x (t, v, g, place) order by place";
    let mut sql = database.connect().await;
    let mut numbers = Numbers(11);
    let text = |numbers: &mut Numbers, most: usize| -> String {
        (0..numbers.below(most)).map(|_| numbers.pick(PIECES)).collect()
    };
    let (mut kinds, mut values, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        kinds.push(numbers.pick(&EntityType::ALL));
        values.push(text(&mut numbers, 8));
        given.push(if numbers.below(2) == 0 { String::new() } else { text(&mut numbers, 6) });
    }
    let names: Vec<(String, String)> = sqlx::query_as(SELECT)
        .bind(kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>())
        .bind(&values)
        .bind(&given)
        .fetch_all(&mut sql.0)
        .await
        .expect("total");
    let mut wrong = Vec::new();
    for (((kind, value), given), (name, again)) in kinds.into_iter().zip(&values).zip(&given).zip(&names) {
        let given = Some(given.as_str()).filter(|given| !given.is_empty());
        let rust = canonical_name(kind, value, given);
        let is_one = name == &rust && name == again && &canonical_name(kind, value, Some(name)) == name;
        if !is_one || name.is_empty() && !value.trim().is_empty() {
            wrong.push(format!("{kind:?} {value:?} {given:?}: SQL {name:?}, again {again:?}, Rust {rust:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}, first\n{}",
        wrong.len(),
        wrong[..wrong.len().min(25)].join("\n")
    );
}
