use std::fmt::Write as _;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::QueryAs;
use sqlx::{Arguments, AssertSqlSafe, Connection, Encode, FromRow, PgConnection, Postgres as Pg, Type};

use super::session;

/// A statement with its parameters encoded, so that it can be sent again after a lost connection or a deadlock.
#[derive(Clone)]
pub struct Sql {
    text: &'static str,
    arguments: PgArguments,
    failure: Option<String>,
}

impl Sql {
    pub fn new(text: &'static str) -> Self {
        Self { text, arguments: PgArguments::default(), failure: None }
    }

    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    pub fn bind<'t, T>(mut self, value: T) -> Self
    where
        T: Encode<'t, Pg> + Type<Pg>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.failure = Some(error.to_string());
        }
        self
    }

    /// Binds the value if there is one.
    pub fn bind_some<'t, T>(self, value: Option<T>) -> Self
    where
        T: Encode<'t, Pg> + Type<Pg>,
    {
        match value {
            Some(value) => self.bind(value),
            None => self,
        }
    }

    /// As a statement that the connection keeps prepared.
    pub(super) async fn fetch<O>(self, connection: &mut PgConnection) -> sqlx::Result<Vec<O>>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        self.query()?.fetch_all(connection).await
    }

    /// In a transaction of its own, and without a name that another session could have given away.
    #[expect(clippy::disallowed_methods, reason = "the session cannot change within the transaction")]
    pub(super) async fn fetch_in_transaction<O>(self, connection: &mut PgConnection) -> sqlx::Result<Vec<O>>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let query = self.query()?;
        let mut transaction = connection.begin_with(AssertSqlSafe(session::begin())).await?;
        let rows = query.persistent(false).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(rows)
    }

    fn query<'q, O>(self) -> sqlx::Result<QueryAs<'q, Pg, O, PgArguments>>
    where
        O: for<'r> FromRow<'r, PgRow>,
    {
        match self.failure {
            Some(failure) => Err(sqlx::Error::Encode(failure.into())),
            None => Ok(sqlx::query_as_with(self.text, self.arguments)),
        }
    }
}

/// A vector as text: of many at once, for which no array of arrays would do.
pub(super) fn vector_text(values: &[f32]) -> String {
    let mut text = String::with_capacity(values.len() * 12 + 2);
    for value in values {
        text.push(if text.is_empty() { '[' } else { ',' });
        // The shortest text that reads back as the same number.
        let _ = write!(text, "{value:e}");
    }
    text.push(']');
    text
}
