//! The report as one page that needs nothing else: for people, light and dark, and for printing.

use super::{Report, TestResult, timestamp};
use crate::ladder::Row;
use crate::outcome::{Code, Record};
use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::net::IpAddr;

/// Widths and heights of the ladder's drawing, in its own units.
const TIME: usize = 74;
const COLUMN: usize = 210;
const ROW: usize = 24;
const HEAD: usize = 44;
/// Columns of a ladder; a host beyond them is drawn in the last one.
const MOST_COLUMNS: usize = 8;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    started: String,
    duration: String,
    version: &'static str,
    tiles: Vec<Tile>,
    rows: Vec<View<'a>>,
}

struct Tile {
    code: Code,
    count: usize,
}

/// A test as the page shows it.
struct View<'a> {
    number: &'a str,
    title: &'a str,
    text: &'a str,
    code: Code,
    reason: &'a str,
    comments: &'a [String],
    record: Option<&'a Record>,
    duration: String,
    steps: Vec<(String, &'a str)>,
    ladder: Option<Drawing>,
    recordings: Vec<(&'a str, String)>,
    open: bool,
}

struct Drawing {
    width: usize,
    height: usize,
    /// x, name, address
    lines: Vec<(usize, String, String)>,
    arrows: Vec<Arrow>,
    notes: Vec<(usize, String, String)>,
}

struct Arrow {
    y: usize,
    time: String,
    from: usize,
    to: usize,
    label: String,
    /// For a pointer that rests on it: start line, ports, Call-ID.
    detail: String,
    class: &'static str,
}

impl Report {
    pub fn to_html(&self) -> Result<String, askama::Error> {
        Page {
            report: self,
            started: timestamp(self.started).replace('T', " ").replace('Z', " UTC"),
            duration: seconds(self.duration_ms()),
            version: env!("CARGO_PKG_VERSION"),
            tiles: Code::ALL.iter().map(|code| Tile { code: *code, count: self.count(*code) }).collect(),
            rows: self.results.iter().map(|result| self.view(result)).collect(),
        }
        .render()
    }

    fn view<'a>(&self, result: &'a TestResult) -> View<'a> {
        View {
            number: &result.number,
            title: &result.title,
            text: &result.text,
            code: result.code,
            reason: result.reason.as_deref().unwrap_or_default(),
            comments: &result.comments,
            record: result.record.as_ref(),
            duration: if result.steps.is_empty() { String::new() } else { seconds(result.duration_ms) },
            steps: result.steps.iter().map(|step| (seconds(step.at_ms), step.text.as_str())).collect(),
            ladder: self.draw(result),
            recordings: result.recordings.iter().map(|(who, samples)| (who.as_str(), audio(samples))).collect(),
            open: matches!(result.code, Code::F | Code::CP),
        }
    }

    fn draw(&self, result: &TestResult) -> Option<Drawing> {
        // Trunk supervision goes on beside the test and says nothing of it.
        let rows: Vec<&Row> = result
            .ladder
            .iter()
            .filter(|row| !matches!(row, Row::Message(message) if message.cseq.ends_with("OPTIONS")))
            .collect();
        let mut hosts: Vec<IpAddr> = Vec::new();
        for row in &rows {
            let Row::Message(message) = row else { continue };
            for host in [message.from.ip(), message.to.ip()] {
                if !hosts.contains(&host) && hosts.len() < MOST_COLUMNS {
                    hosts.push(host);
                }
            }
        }
        // Phones stand on the left, then the PBX, then the UM server.
        hosts.sort_by_key(|host| match self.host(*host) {
            Some("PBX") => 1,
            Some("UM server") => 2,
            _ => 0,
        });
        let last = hosts.len().checked_sub(1)?;
        let x =
            |host: IpAddr| TIME + COLUMN / 2 + COLUMN * hosts.iter().position(|known| *known == host).unwrap_or(last);
        let begin = rows.first().map_or(0, |row| at_ms(row));
        let (mut arrows, mut notes) = (Vec::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            let y = HEAD + ROW * (place + 1);
            let time = seconds(at_ms(row).saturating_sub(begin));
            match row {
                Row::Note { text, .. } => notes.push((y, time, text.clone())),
                Row::Message(message) => {
                    let (from, to) = (x(message.from.ip()), x(message.to.ip()));
                    // The head of the arrow ends beside the line.
                    let to = if from < to { to - 7 } else { to + 7 };
                    arrows.push(Arrow {
                        y,
                        time,
                        from,
                        to,
                        label: shorten(&message.label()),
                        detail: format!(
                            "{}\n{} → {} {}\nCSeq: {}\nCall-ID: {}",
                            message.summary, message.from, message.to, message.transport, message.cseq, message.call_id
                        ),
                        class: match message.summary.as_bytes() {
                            [b'2', ..] => "good",
                            // A question for the password is no refusal.
                            [b'3', ..] | [b'4', b'0', b'1' | b'7', ..] => "moved",
                            [b'4'..=b'6', ..] => "bad",
                            _ => "plain",
                        },
                    });
                }
            }
        }
        let name = |host: &IpAddr| self.host(*host).map_or_else(|| host.to_string(), str::to_owned);
        Some(Drawing {
            width: TIME + COLUMN * hosts.len(),
            height: HEAD + ROW * (rows.len() + 1),
            lines: hosts.iter().map(|host| (x(*host), name(host), host.to_string())).collect(),
            arrows,
            notes,
        })
    }
}

impl Arrow {
    /// Where the label stands.
    fn middle(&self) -> usize {
        usize::midpoint(self.from, self.to)
    }

    /// How wide the label is, about: it is drawn on a patch of paper.
    fn patch(&self) -> usize {
        self.label.chars().count() * 13 / 2 + 8
    }

    /// Where that begins.
    fn left(&self) -> usize {
        self.middle().saturating_sub(self.patch() / 2)
    }

    /// The three points of its head.
    fn head(&self) -> String {
        let back = if self.from < self.to { self.to - 1 } else { self.to + 1 };
        let point = if self.from < self.to { self.to + 7 } else { self.to - 7 };
        format!("{point},{y} {back},{} {back},{}", self.y - 4, self.y + 4, y = self.y)
    }
}

fn at_ms(row: &Row) -> u64 {
    match row {
        Row::Message(message) => message.at_ms,
        Row::Note { at_ms, .. } => *at_ms,
    }
}

/// As many characters as stand on an arrow. What a status answers goes first: the arrow before it says so, too.
fn shorten(label: &str) -> String {
    const MOST: usize = 26;
    let fits = |text: &str| text.chars().count() <= MOST;
    if fits(label) {
        return label.to_owned();
    }
    let label = label.split(" (").next().unwrap_or(label);
    if fits(label) {
        return label.to_owned();
    }
    label.chars().take(MOST - 1).chain(['…']).collect()
}

/// What was heard as a WAV file in a data URI: µ-law, 8,000 bytes a second.
fn audio(samples: &[i16]) -> String {
    let wav = speech::Audio::from_samples(samples.to_vec()).to_mulaw_wav();
    format!("data:audio/wav;base64,{}", STANDARD.encode(wav))
}

fn seconds(milliseconds: u64) -> String {
    format!("{:.2} s", milliseconds as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use crate::report::tests::report;

    #[test]
    fn the_page_is_whole_and_nothing_in_it_is_markup_that_was_text() {
        let html = report().to_html().unwrap();
        assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"));
        assert!(!html.contains("<script>alert"), "text stays text");
        assert!(html.contains("data:audio/wav;base64,UklGR"), "what was heard is in it");
        for outside in ["http://", "https://", "src=\"/", "href=\"/"] {
            assert!(!html.contains(outside), "the page needs {outside} from elsewhere");
        }
        for code in ["P", "CP", "F", "NT", "NA"] {
            assert!(html.contains(&format!("code-{code}")), "{code}");
        }
    }
}
