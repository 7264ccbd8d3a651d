//! The URL of a Postgres.

use sqlx::postgres::PgConnectOptions;

use crate::config::Secret;
use crate::error::{Error, Result};

/// Of other stores, which people put into the same variable. Nothing else of a URL is repeated: it may hold a password.
const OTHERS: [&str; 20] = [
    "file",
    "sqlite",
    "libsql",
    "mysql",
    "mysql2",
    "mariadb",
    "mssql",
    "sqlserver",
    "oracle",
    "mongodb",
    "mongodb+srv",
    "redis",
    "rediss",
    "http",
    "https",
    "jdbc",
    "prisma",
    "bolt",
    "neo4j",
    "neo4j+s",
];

pub(super) fn parse_url(field: &str, url: &Secret) -> Result<PgConnectOptions> {
    let invalid = |problem: String| {
        Error::invalid(field, format!("{problem} (postgres://user:password@host:port/database)"))
    };
    let text = url.reveal().trim();
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase();
    if OTHERS.contains(&scheme.as_str()) {
        return Err(invalid(format!("begins with {scheme}:, which is not the scheme of a Postgres URL")));
    }
    if scheme != "postgres" && scheme != "postgresql" {
        return Err(invalid("is no Postgres URL".to_owned()));
    }
    let options = text.parse::<PgConnectOptions>().map_err(|error| invalid(wrong_part(&error)))?;
    // Brackets belong to the URL, not to the address.
    let address =
        options.get_host().strip_prefix('[').and_then(|host| host.strip_suffix(']')).map(str::to_owned);
    let options = match address {
        Some(address) => options.host(&address),
        None => options,
    };
    // Poolers refuse startup parameters that they do not know; nothing of ours depends on this one.
    Ok(options.application_name("izzie-memory").extra_float_digits(None))
}

/// Which part of a URL is wrong, without a word of it.
fn wrong_part(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(cause) => match cause.downcast_ref::<url::ParseError>() {
            Some(part) => format!(
                "is no Postgres URL: {part}; characters such as @ : / # in user and password are written %40 %3A %2F %23"
            ),
            None => "has a parameter after the ? whose value is not valid".to_owned(),
        },
        _ => "is no Postgres URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<PgConnectOptions> {
        parse_url("databaseUrl", &Secret::new(url))
    }

    #[test]
    fn an_address_of_ipv6_goes_without_its_brackets() {
        let options = parsed("postgres://u:p@[::1]:5433/db").expect("valid");
        assert_eq!((options.get_host(), options.get_port()), ("::1", 5433));
        assert_eq!(parsed("postgresql://u:p@[fe80::1]/db").expect("valid").get_host(), "fe80::1");
        assert_eq!(parsed("postgres://u:p@h/db").expect("valid").get_host(), "h");
    }

    #[test]
    fn other_stores_are_refused_by_name() {
        for url in
            ["file:./dev.db", "mysql://u:canary@h/db", "MONGODB+SRV://canary@h", "jdbc:postgresql://h/db"]
        {
            let error = parsed(url).expect_err(url);
            let scheme = url.split(':').next().expect("one").to_ascii_lowercase();
            assert!(error.message.contains(&format!("{scheme}:")), "{}", error.message);
            assert!(!error.message.contains("canary"), "{}", error.message);
            assert_eq!(error.details["field"], "databaseUrl");
        }
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for url in ["", "canary", "canary:x@h", "canary://h", "postgres://u:canary@h:port/db"] {
            let error = parsed(url).expect_err(url);
            assert!(!error.message.contains("canary"), "{}", error.message);
        }
    }

    #[test]
    fn the_part_that_is_wrong_is_named() {
        for (url, part) in [
            ("postgres://u:p@h:port/db", "invalid port"),
            ("postgres://u:p#w@h:5432/db", "invalid port"),
            ("postgres://u:p@[::1/db", "IPv6"),
            ("postgres://u:p@h/db?sslmode=canary", "parameter"),
        ] {
            let error = parsed(url).expect_err(url);
            assert!(error.message.contains(part), "{url}: {}", error.message);
            assert!(!error.message.contains("canary"), "{}", error.message);
        }
    }
}
