//! Tokens of an identity provider, which a program gets by its own name and secret (OAuth 2.0, client credentials).

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::connection::{Certificates, Credentials, agent};
use crate::engine::EngineError;

/// Longer answers are not read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// What forms encode: most names and secrets stay as they are, also for providers that do not decode them.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'~');

/// A program that asks for a token.
pub struct TokenRequest<'a> {
    /// Where the identity provider gives tokens.
    pub endpoint: &'a str,
    /// The program's name.
    pub id: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// What the token is for; may be empty.
    pub scope: &'a str,
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest").field("endpoint", &self.endpoint).field("id", &self.id).finish_non_exhaustive()
    }
}

impl TokenRequest<'_> {
    /// Asks the identity provider, which is trusted by `certificates`.
    pub fn send(&self, certificates: &Certificates) -> Result<Credentials, EngineError> {
        let refused = |why: String| EngineError::new(format!("there is no token from {}: {why}", self.endpoint));
        let mut form = "grant_type=client_credentials".to_owned();
        if !self.scope.is_empty() {
            form.push_str("&scope=");
            form.push_str(&encoded(self.scope));
        }
        // Name and secret are encoded before they become the parts of a header, RFC 6749 2.3.1.
        let who = Credentials::Basic(encoded(self.id), encoded(self.secret));
        let request = agent(certificates)?.post(self.endpoint).header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.header("authorization", who.header()).send(form);
        let mut answer = answer.map_err(|error| refused(error.to_string()))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body: Value = serde_json::from_slice(&text.unwrap_or_default()).unwrap_or_default();
        match body["access_token"].as_str() {
            Some(token) if status == 200 => Ok(Credentials::Bearer(token.to_owned())),
            _ => {
                let said = body["error_description"].as_str().or(body["error"].as_str());
                Err(refused(said.map_or_else(|| format!("it answers with status {status}"), ToOwned::to_owned)))
            }
        }
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::post;
    use serde_json::json;

    use super::*;
    use crate::http::HttpServer;

    #[test]
    fn a_program_gets_a_token_for_its_secret() {
        let answer = |headers: HeaderMap, form: String| async move {
            let who = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let expected = Credentials::Basic("a%20b".to_owned(), "s-%3A".to_owned()).header();
            let is_known = who == expected && form == "grant_type=client_credentials&scope=x%20y";
            if is_known {
                (StatusCode::OK, json!({"access_token": "t", "expires_in": 300}).to_string())
            } else {
                (StatusCode::UNAUTHORIZED, json!({"error": "invalid_client"}).to_string())
            }
        };
        let app = Router::new().route("/token", post(answer));
        let server = HttpServer::start("test-token", SocketAddr::from(([127, 0, 0, 1], 0)), app).expect("a free port");
        let endpoint = format!("{}/token", server.url());
        let ask = |endpoint: &str, secret: &str| {
            let request = TokenRequest { endpoint, id: "a b", secret, scope: "x y" };
            request.send(&Certificates::default()).map_err(|error| error.message)
        };
        assert_eq!(ask(&endpoint, "s-:"), Ok(Credentials::Bearer("t".to_owned())));
        assert_eq!(ask(&endpoint, "other"), Err(format!("there is no token from {endpoint}: invalid_client")));
        let elsewhere = format!("{}/nothing", server.url());
        assert_eq!(
            ask(&elsewhere, "s-:"),
            Err(format!("there is no token from {elsewhere}: it answers with status 404"))
        );
    }
}
