//! What every request must pass, and what every response carries.

use crate::Shared;
use crate::error::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::{IpAddr, SocketAddr};

/// No script, style or frame but our own, and none inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Not no-referrer: then a form's POST would say `Origin: null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// The outermost layer: checks Host and Origin, and adds the headers.
pub async fn guard(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Whatever does not say otherwise is private and changes.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn check(app: &Shared, request: &Request) -> Result<(), ApiError> {
    let default_port = if app.settings.is_secure() { 443 } else { 80 };
    let allowed = |authority: &str| is_own(authority, app.address, default_port, &app.settings.hosts);
    // A name that a stranger lets point at this address (DNS rebinding) is not one of ours.
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let scheme = if app.settings.is_secure() { "https" } else { "http" };
    if hosts.next().is_some() || !host.is_some_and(allowed) {
        return Err(ApiError::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this server is not called so",
            format!("use {}://{}/, or add the name to `hosts` in its configuration", scheme, app.address),
        ));
    }
    // What another site's page asks for in a user's browser says so here.
    if let Some(origin) = request.headers().get(header::ORIGIN) {
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        // RFC 6454 5: another scheme is another origin.
        let own_scheme = !app.settings.is_secure() || origin.as_bytes().starts_with(b"https://");
        if !own_scheme || !authority.is_some_and(|authority| allowed(authority) && host == Some(authority)) {
            return Err(foreign_origin());
        }
    }
    Ok(())
}

pub fn foreign_origin() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "the request came from another site's page",
        "use this server's own page, or send a bearer token instead of a cookie",
    )
}

/// Whether a Host header names this server.
fn is_own(authority: &str, own: SocketAddr, default_port: u16, hosts: &[String]) -> bool {
    if hosts.iter().any(|host| {
        let name = authority.rsplit_once(':').map_or(authority, |(name, _)| name);
        host.eq_ignore_ascii_case(authority) || host.eq_ignore_ascii_case(name)
    }) {
        return true;
    }
    // An address literal can't be rebound; it must be the one that we listen on.
    let matches = |ip: IpAddr| ip == own.ip() || own.ip().is_unspecified();
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return matches(address.ip()) && address.port() == own.port();
    }
    let ip = authority.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if let Ok(ip) = ip {
        return matches(ip) && own.port() == default_port;
    }
    let (name, port) = match authority.split_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (authority, Some(default_port)),
    };
    let local = own.ip().is_loopback() || own.ip().is_unspecified();
    local && name.eq_ignore_ascii_case("localhost") && port == Some(own.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_and_address_are_taken_as_host() {
        let own = "127.0.0.1:8080".parse().unwrap();
        let hosts = ["voicemail.moon.galaxy".to_owned()];
        for good in
            ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "voicemail.moon.galaxy", "VoiceMail.moon.galaxy:443"]
        {
            assert!(is_own(good, own, 80, &hosts), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:8080",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.2:8080",
            "localhost",
            "localhost:x",
            "localhost.evil.example:8080",
            "[::1]:8080",
            "127.0.0.1:8080@evil",
            "x.voicemail.moon.galaxy",
        ] {
            assert!(!is_own(bad, own, 80, &hosts), "{bad}");
        }
        assert!(is_own("127.0.0.1", "127.0.0.1:443".parse().unwrap(), 443, &[]), "HTTPS has its own default");
        let all = "0.0.0.0:80".parse().unwrap();
        assert!(
            is_own("192.0.2.7", all, 80, &[])
                && is_own("localhost", all, 80, &[])
                && !is_own("evil.example", all, 80, &[])
        );
    }
}
