//! The reference page of the cmdlets, written from their table.

use std::fmt::Write as _;

use um::commands::{Cmdlet, cmdlets};

const HEAD: &str = include_str!("reference.md");

/// `docs/umsh.md`.
pub(crate) fn reference() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## The cmdlets\n\n");
    for cmdlet in cmdlets() {
        let _ = writeln!(page, "- [{}](#{}): {}", cmdlet.name, cmdlet.name.to_ascii_lowercase(), cmdlet.summary);
    }
    for cmdlet in cmdlets() {
        section(&mut page, cmdlet);
    }
    page
}

fn section(page: &mut String, cmdlet: &Cmdlet) {
    let _ = write!(page, "\n### {}\n\n{}", cmdlet.name, cmdlet.summary);
    if !cmdlet.note.is_empty() {
        let _ = write!(page, " {}", cmdlet.note);
    }
    if !cmdlet.aliases.is_empty() {
        let _ = write!(page, " Known as `{}`, too.", cmdlet.aliases.join("`, `"));
    }
    if cmdlet.asks {
        page.push_str(" A person is asked first.");
    }
    page.push('\n');
    if cmdlet.parameters.is_empty() {
        return;
    }
    page.push_str("\n| parameter | value | default | |\n|---|---|---|---|\n");
    for parameter in &cmdlet.parameters {
        let default = match (parameter.required, parameter.default.as_str()) {
            (true, _) => "*needed*".to_owned(),
            (false, "" | "{}") => String::new(),
            (false, default) => format!("`{default}`"),
        };
        let idle = if parameter.idle { " **No effect yet.**" } else { "" };
        let cell = |text: &str| text.replace('|', "\\|");
        let _ = writeln!(
            page,
            "| `-{}` | {} | {} | {}{idle} |",
            parameter.name,
            cell(&parameter.syntax),
            cell(&default),
            cell(parameter.help)
        );
    }
}
