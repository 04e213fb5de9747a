//! How long a server asks to be left alone: seconds or a date (RFC 9110 §10.2.3), made sane.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;

/// Without the header. The API documents no figure; a second is too little for all objects of an organization, a minute
/// would be noticed.
const DEFAULT: Duration = Duration::from_secs(5);
/// Zero and dates in the past mean "now", but a server that has just refused is given this long.
const SHORTEST: Duration = Duration::from_secs(1);
/// The only limit ever published for this API counts by the hour; an absurd header must not pause an organization for
/// days.
const LONGEST: Duration = Duration::from_secs(3600);

/// Whether the server named a time at all.
pub(super) fn is_named(headers: &HeaderMap) -> bool {
    headers.contains_key(RETRY_AFTER)
}

/// How long to wait, between one second and one hour. `now` is the server's time if known, else ours.
pub(super) fn delay(headers: &HeaderMap, now: Timestamp) -> Duration {
    let Some(text) = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
    else {
        return DEFAULT;
    };
    let asked = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // Only more digits than fit can fail here.
        text.parse().map_or(LONGEST, Duration::from_secs)
    } else if let Some(at) = http_date(text) {
        Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
    } else if is_beyond_time(text) {
        LONGEST
    } else {
        DEFAULT
    };
    asked.clamp(SHORTEST, LONGEST)
}

/// Reads an HTTP date in its one current form, `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// Whether this is a date that no instant can be made of: the last day of the year 9999 stands for "never".
fn is_beyond_time(text: &str) -> bool {
    let date = DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text);
    date.is_ok_and(|date| date.year() == DateTime::MAX.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_header_gives_a_sane_delay() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let cases: [(Option<&str>, u64); 11] = [
            (None, 5),
            (Some("7"), 7),
            (Some(" 7 "), 7),
            (Some("0"), 1),
            (Some("86400"), 3600),
            (Some("99999999999999999999999999"), 3600),
            (Some("Sun, 22 Nov 2026 12:00:30 GMT"), 30),
            (Some("Sun, 22 Nov 2026 11:00:00 GMT"), 1),
            (Some("Mon, 22 Nov 2027 12:00:00 GMT"), 3600),
            (Some("soon"), 5),
            (Some("-3"), 5),
        ];
        for (header, seconds) in cases {
            let mut headers = HeaderMap::new();
            if let Some(text) = header {
                headers.insert(RETRY_AFTER, text.parse().unwrap());
            }
            assert_eq!(delay(&headers, now), Duration::from_secs(seconds), "{header:?}");
        }
    }
}
