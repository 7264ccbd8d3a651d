//! The functions, views and triggers of `migrations/functions/`: unlike the numbered migrations, they are replaced whenever
//! their text changes, so that a change of one is a diff of its lines.
//!
//! A file that changes a function's arguments or result begins with `drop function if exists` of the old form; one that
//! removes a function keeps that line.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// Rises with every release that changes a file below: code that meets a higher one than its own refuses to replace it.
pub(super) const FUNCTIONS_VERSION: i64 = 1;

/// In the order in which they are applied: views stand after what they call, triggers last.
const FILES: [FunctionFile; 15] = [
    file("vectors", include_str!("../../../migrations/functions/vectors.sql")),
    file("projection", include_str!("../../../migrations/functions/projection.sql")),
    file("obstacles", include_str!("../../../migrations/functions/obstacles.sql")),
    file("postgres_graph", include_str!("../../../migrations/functions/postgres_graph.sql")),
    file("words", include_str!("../../../migrations/functions/words.sql")),
    file("writes", include_str!("../../../migrations/functions/writes.sql")),
    file("operations", include_str!("../../../migrations/functions/operations.sql")),
    file("sync", include_str!("../../../migrations/functions/sync.sql")),
    file("batches", include_str!("../../../migrations/functions/batches.sql")),
    file("conflicts", include_str!("../../../migrations/functions/conflicts.sql")),
    file("embedding", include_str!("../../../migrations/functions/embedding.sql")),
    file("aliases", include_str!("../../../migrations/functions/aliases.sql")),
    file("adoption", include_str!("../../../migrations/functions/adoption.sql")),
    file("rows", include_str!("../../../migrations/functions/rows.sql")),
    file("triggers", include_str!("../../../migrations/functions/triggers.sql")),
];

/// What the database has of a file.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct AppliedFunctions {
    pub file: String,
    pub version: i64,
    pub checksum: String,
}

#[derive(Debug)]
pub(super) struct FunctionFile {
    pub name: &'static str,
    sql: &'static str,
}

const fn file(name: &'static str, sql: &'static str) -> FunctionFile {
    FunctionFile { name, sql }
}

impl FunctionFile {
    pub fn title(&self) -> String {
        format!("functions {}", self.name)
    }

    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Its statements and the note that they were applied. Bodies are checked when they run: functions of one file call
    /// those of the next.
    pub fn step(&self) -> String {
        format!(
            "set local check_function_bodies = off;\n{}\ninsert into izzie_memory.functions (file, version, checksum) \
             values ('{}', {FUNCTIONS_VERSION}, '{}')\non conflict (file) do update set version = excluded.version, \
             checksum = excluded.checksum, applied_at = now();\n",
            self.sql,
            self.name,
            self.checksum()
        )
    }

    fn is_applied(&self, applied: &[AppliedFunctions]) -> bool {
        let checksum = self.checksum();
        applied
            .iter()
            .any(|it| it.file == self.name && it.version == FUNCTIONS_VERSION && it.checksum == checksum)
    }
}

/// All files, in order.
pub(super) fn function_files() -> &'static [FunctionFile] {
    &FILES
}

/// Those that the database has not, or has in another form.
pub(super) fn missing_functions(applied: &[AppliedFunctions]) -> Vec<&'static FunctionFile> {
    FILES.iter().filter(|file| !file.is_applied(applied)).collect()
}

/// The highest version that newer code has left, if any has.
pub(super) fn newer_functions(applied: &[AppliedFunctions]) -> Option<i64> {
    applied.iter().map(|it| it.version).max().filter(|version| *version > FUNCTIONS_VERSION)
}
