//! The provisioning server: phones fetch their configuration files here, over HTTP and HTTPS. Who may have which is the
//! node's to say ([`pbx::Fetch`], [`pbx::Served`]); here is only what belongs to HTTP.

use crate::listen::{Listening, Peer};
use crate::server::StartError;
use crate::tls::open;
use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use net::tls::TlsFiles;
use pbx::{Fetch, Served};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Hands the node a request. It must return at once; the reply is called when it is answered.
pub type FetchDoor = Arc<dyn Fn(Fetch, pbx::FetchReply) + Send + Sync>;

/// Connections of phones at once, a listener.
const CONNECTIONS: usize = 256;
/// The node answers within milliseconds; one that does not is stuck or gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a path at most: a token and a file's name.
const PATH: usize = 256;

/// Where to listen.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub http: Option<SocketAddr>,
    pub https: Option<(SocketAddr, TlsFiles)>,
}

/// A running provisioning server. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    pub http: Option<SocketAddr>,
    pub https: Option<SocketAddr>,
    _stop: watch::Sender<()>,
    _listening: JoinSet<()>,
}

/// Listens, and serves from then on, on the runtime that this is called on.
pub async fn start(settings: &Settings, door: FetchDoor, events: &event::Bus) -> Result<Running, StartError> {
    let (stop, stopped) = watch::channel(());
    let mut listening = JoinSet::new();
    let router = Router::new().fallback(get(serve)).with_state(door);
    let mut listen = async |address: SocketAddr, tls| -> Result<SocketAddr, StartError> {
        let failed = |reason| StartError::listen("provisioning", address, reason);
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let one = Listening { listener, tls, router: router.clone(), connections: CONNECTIONS };
        listening.spawn(one.run(stopped.clone()));
        Ok(bound)
    };
    let http = match settings.http {
        Some(address) => Some(listen(address, None).await?),
        None => None,
    };
    let https = match &settings.https {
        Some((address, files)) => {
            let tls = open(files, events).map_err(|reason| StartError::Tls { server: "provisioning", reason })?;
            Some(listen(*address, Some(tls)).await?)
        }
        None => None,
    };
    Ok(Running { http, https, _stop: stop, _listening: listening })
}

async fn serve(State(door): State<FetchDoor>, Extension(peer): Extension<Peer>, request: Request) -> Response {
    let path = request.uri().path();
    if path.len() > PATH {
        return StatusCode::URI_TOO_LONG.into_response();
    }
    let fetch = Fetch {
        path: path.to_owned(),
        source: peer.address.ip().to_canonical(),
        secure: peer.secure,
        credentials: basic(request.headers()),
    };
    let (sender, answer) = oneshot::channel();
    // Who waits may have gone; then nobody needs the answer.
    door(fetch, Box::new(move |served| drop(sender.send(served))));
    let served = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(served)) => served,
        Ok(Err(_)) | Err(_) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
    };
    let mut response = match served {
        Served::File { content_type, text } => with((StatusCode::OK, text), header::CONTENT_TYPE, content_type),
        Served::Unknown => (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
        Served::Unproven => {
            let text = "a phone's own file is the phone's: its token in the path, or as the password of its MAC\n";
            with((StatusCode::UNAUTHORIZED, text), header::WWW_AUTHENTICATE, "Basic realm=\"phones\"")
        }
        Served::TooMany { seconds } => {
            let text = "too many requests came from your address\n";
            with((StatusCode::TOO_MANY_REQUESTS, text), header::RETRY_AFTER, &seconds.to_string())
        }
    };
    let headers = response.headers_mut();
    // Secrets stay in no cache on the way, and a file is of no other type than it says.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn with(response: impl IntoResponse, name: HeaderName, value: &str) -> Response {
    let mut response = response.into_response();
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// RFC 7617 2: user and password, in Base64.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_basic_is_nobody() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            basic(&headers)
        };
        assert_eq!(read("Basic QTpi"), Some(("A".into(), "b".into())));
        assert_eq!(read("basic QTpiOmM="), Some(("A".into(), "b:c".into())));
        for wrong in ["", "Basic", "Basic ", "Basic !!", "Basic QQ==", "Bearer QTpi", "Basic /////w=="] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
