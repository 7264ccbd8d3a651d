//! The HTTP client and the address it asks.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Url, redirect};

use super::Task;
use super::failure::root_cause;
use crate::config::Secret;
use crate::error::{Error, Result};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The base with the task's path. A query, as some gateways want one, is kept. The messages do not repeat the URL.
pub(super) fn endpoint(task: Task, base_url: &str) -> Result<Url> {
    let bad = |problem| Error::invalid(&format!("{}.baseUrl", task.option), problem);
    let mut url = Url::parse(base_url).map_err(|_| bad("is not an absolute URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("must begin with https:// or http://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("must not hold credentials; the key belongs into apiKey"));
    }
    url.path_segments_mut().map_err(|()| bad("has no path"))?.pop_if_empty().extend(task.path);
    Ok(url)
}

/// A client that sends the key to `endpoint` and nowhere else: redirects are not followed.
///
/// Proxies: for `https` the usual variables (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) are honoured, the proxy sees
/// only the host. For `http` none is used, it would see the key. Roots are the system's, or those of
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`; `NODE_EXTRA_CA_CERTS` is not read.
pub(super) fn build(task: Task, endpoint: &Url, key: &Secret) -> Result<Client> {
    crate::tls::use_ring();
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(headers(task, key)?)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    let builder = match endpoint.scheme() {
        // No roots to load, so that a local server can be asked where there are none.
        "http" => builder.no_proxy().tls_certs_only([]),
        _ => builder.https_only(true),
    };
    builder.build().map_err(|error| {
        let hint = "install the system's ca-certificates or set SSL_CERT_FILE";
        task.failed(format_args!("no HTTPS client, {}; {hint}", root_cause(&error)))
            .with("attempts", 0)
            .with("retryable", false)
    })
}

fn headers(task: Task, key: &Secret) -> Result<HeaderMap> {
    let bad = |problem| Error::invalid(&format!("{}.apiKey", task.option), problem);
    if key.reveal().is_empty() {
        return Err(bad("must not be empty"));
    }
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.reveal()))
        .map_err(|_| bad("holds a character that no HTTP header can carry"))?;
    // Keeps it out of every Debug output.
    bearer.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, bearer)]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use super::*;
    use crate::error::Reason;

    const TASK: Task = Task {
        name: "embedding",
        reason: Reason::EmbeddingFailed,
        option: "embedder",
        path: &["embeddings"],
    };

    #[test]
    fn the_path_and_the_query_of_the_base_stay() {
        for (base, asked) in [
            ("https://api.openai.com/v1", "https://api.openai.com/v1/embeddings"),
            ("https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1/embeddings"),
            ("http://localhost:11434", "http://localhost:11434/embeddings"),
            ("https://x.test/v1?api-version=2", "https://x.test/v1/embeddings?api-version=2"),
        ] {
            assert_eq!(endpoint(TASK, base).unwrap().as_str(), asked);
        }
    }

    #[test]
    fn debug_output_hides_the_key() {
        let endpoint = endpoint(TASK, "http://localhost/v1").unwrap();
        let client = build(TASK, &endpoint, &Secret::new("sk-1")).unwrap();
        assert!(!format!("{client:?}").contains("sk-1"));
    }
}
