use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Encode, FromRow, PgConnection, Postgres as Pg, Type};

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

    pub(super) async fn fetch<O>(self, connection: &mut PgConnection) -> sqlx::Result<Vec<O>>
    where
        O: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        match self.failure {
            Some(failure) => Err(sqlx::Error::Encode(failure.into())),
            None => sqlx::query_as_with(self.text, self.arguments).fetch_all(connection).await,
        }
    }
}
