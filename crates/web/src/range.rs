//! One byte range of a recording (RFC 9110 14), so that browsers can seek.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Everything,
    /// First byte and the one after the last.
    Part(usize, usize),
    Nothing,
}

/// The whole of a file, or the range that the request asks for.
pub fn respond(headers: &HeaderMap, file: Bytes, content_type: &'static str) -> Response {
    let length = file.len();
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let mut response = match range.map_or(Wanted::Everything, |range| wanted(range, length)) {
        Wanted::Everything => file.into_response(),
        Wanted::Part(first, end) => {
            let range = format!("bytes {first}-{}/{length}", end.saturating_sub(1));
            let mut response = (StatusCode::PARTIAL_CONTENT, file.slice(first..end)).into_response();
            set(&mut response, header::CONTENT_RANGE, &range);
            response
        }
        Wanted::Nothing => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{length}"));
            response
        }
    };
    set(&mut response, header::CONTENT_TYPE, content_type);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn wanted(range: &str, length: usize) -> Wanted {
    // What is not understood is ignored, and so are several ranges: the whole is a right answer to both.
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Wanted::Everything;
    };
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => {
            if first < length {
                Wanted::Part(first, last.saturating_add(1).min(length))
            } else {
                Wanted::Nothing
            }
        }
        (Ok(first), Err(_)) if last.is_empty() => {
            if first < length {
                Wanted::Part(first, length)
            } else {
                Wanted::Nothing
            }
        }
        (Err(_), Ok(suffix)) if first.is_empty() => match suffix.min(length) {
            0 => Wanted::Nothing,
            suffix => Wanted::Part(length.saturating_sub(suffix), length),
        },
        _ => Wanted::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_rfc_9110() {
        assert_eq!(wanted("bytes=0-", 10), Wanted::Part(0, 10));
        assert_eq!(wanted("bytes=2-4", 10), Wanted::Part(2, 5));
        assert_eq!(wanted("bytes=2-400", 10), Wanted::Part(2, 10));
        assert_eq!(wanted("bytes=-3", 10), Wanted::Part(7, 10));
        assert_eq!(wanted("bytes=-30", 10), Wanted::Part(0, 10));
        for nothing in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
            assert_eq!(wanted(nothing, 10), Wanted::Nothing, "{nothing}");
        }
        for strange in
            ["", "bytes", "bytes=", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=x-y", "bytes=-5-"]
        {
            assert_eq!(wanted(strange, 10), Wanted::Everything, "{strange}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
    }
}
