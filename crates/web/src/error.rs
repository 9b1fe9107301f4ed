use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What a request is refused with: `{"error": what, "hint": what to do}`.
#[derive(Debug, Serialize)]
pub struct ApiError {
    #[serde(skip)]
    pub status: StatusCode,
    pub error: String,
    pub hint: String,
    /// The command's parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl ApiError {
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError { status, error: error.into(), hint: hint.into(), parameter: None }
    }

    pub fn bad(error: impl Into<String>, hint: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, error, hint)
    }

    pub fn unauthorized() -> ApiError {
        ApiError::new(
            StatusCode::UNAUTHORIZED,
            "sign in first",
            "send 'Authorization: Bearer TOKEN', or sign in with extension and PIN",
        )
    }

    pub fn forbidden() -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "this is not yours to see", "sign in as its owner or as the administrator")
    }

    pub fn no_mailbox() -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, "there is no such mailbox", "GET /api/v1/mailboxes lists them")
    }

    pub fn no_message() -> ApiError {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "the mailbox has no such message",
            "it may have been deleted; list the messages again",
        )
    }

    pub fn unavailable(error: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error, "try again; if it stays so, look at the server's log")
    }

    pub fn busy(error: &str) -> ApiError {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, error, "wait a minute, then try again")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 15.5.2: a 401 names the scheme.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = if status == StatusCode::TOO_MANY_REQUESTS { "60" } else { "1" };
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        response
    }
}

impl From<mailbox::Unavailable> for ApiError {
    fn from(error: mailbox::Unavailable) -> ApiError {
        ApiError::unavailable(error.to_string())
    }
}

impl From<mailbox::MailboxError> for ApiError {
    fn from(error: mailbox::MailboxError) -> ApiError {
        match error {
            mailbox::MailboxError::NoMailbox => ApiError::no_mailbox(),
            mailbox::MailboxError::Unavailable(error) => error.into(),
        }
    }
}

impl From<mailbox::MessageError> for ApiError {
    fn from(error: mailbox::MessageError) -> ApiError {
        match error {
            mailbox::MessageError::NoMessage => ApiError::no_message(),
            mailbox::MessageError::Unavailable(error) => error.into(),
        }
    }
}

impl From<mailbox::GreetingError> for ApiError {
    fn from(error: mailbox::GreetingError) -> ApiError {
        match error {
            mailbox::GreetingError::NoMailbox => ApiError::no_mailbox(),
            mailbox::GreetingError::Wav(error) => ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                error.to_string(),
                "send a WAV file of at most ten minutes as the request's body",
            ),
            mailbox::GreetingError::Unavailable(error) => error.into(),
        }
    }
}

impl From<pbx::commands::CommandError> for ApiError {
    fn from(error: pbx::commands::CommandError) -> ApiError {
        use pbx::commands::CommandError::*;
        let status = match &error {
            Missing { .. } | Invalid { .. } => StatusCode::BAD_REQUEST,
            NotAssigned { .. } => StatusCode::NOT_FOUND,
            AlreadyAssigned { .. } | InUse { .. } => StatusCode::CONFLICT,
            NotKept { .. } => StatusCode::SERVICE_UNAVAILABLE,
        };
        command_error(status, error.parameter(), error.to_string())
    }
}

impl From<um::commands::CommandError> for ApiError {
    fn from(error: um::commands::CommandError) -> ApiError {
        use um::commands::CommandError::*;
        let status = match &error {
            NotFound { .. } => StatusCode::NOT_FOUND,
            Exists { .. } | InUse { .. } | PlayingAlready { .. } => StatusCode::CONFLICT,
            Busy | NotStored { .. } | NoRecords { .. } | NoCall { .. } => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        command_error(status, error.parameter(), error.to_string())
    }
}

fn command_error(status: StatusCode, parameter: Option<&str>, text: String) -> ApiError {
    let hint = match parameter {
        Some(parameter) => format!("mend {parameter}"),
        None => "nothing was changed; try again".into(),
    };
    ApiError { parameter: parameter.map(str::to_owned), ..ApiError::new(status, text, hint) }
}
