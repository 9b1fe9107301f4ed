//! The reference page of the node's shell, written from its table.

use std::fmt::Write as _;

use super::help::usage;
use super::table::{self, Form};

const HEAD: &str = "\
# The node's command shell: `earcon mdsh`

<!-- Written by `cargo xtask docs` from the table of commands. Changes made here are lost. -->

`earcon mdsh -c LINE` runs one line, `earcon mdsh < FILE` a script, `earcon mdsh` alone talks to a person: Tab completes,
the history is kept (without passwords), `help` and `?` list the commands, `help NAME` and `NAME -help` tell one.

A script stops at the first line that is refused and says which, with line and column; the lines before it were
executed, the others not. `earcon mdsh --go-on`, or the line `exit_if_error off` (and `exit_if_error on`), goes on.
A line changes everything that it says or nothing, and is answered when the change is on disk.

- MML: `NAME:P=V,P=V;` in any case. `&` lists values, `&&` goes from one to the other: `1-1&&1-30`.
- Unix style: `name -switch -option value`; one dash or two, `--option=value` too. Values with blanks stand in quotes; a
  quote within is doubled.
- `#` begins a comment. A line whose last option has no value yet, or that ends with `,` or `\\`, goes on in the next.
- Printouts end with `END`, changes with `EXECUTED`; what is refused begins with `NOT ACCEPTED` and says what to mend.
- The guide's slips are taken with a warning: `rm=` is `TRM=`, `ip_route` is `sip_route`, `remotepoint` is `remoteport`.

";

/// The page, as Markdown.
pub(crate) fn reference() -> String {
    let mut text = HEAD.to_owned();
    let forms: Vec<&Form> = table::all().collect();
    for of_one_name in forms.chunk_by(|a, b| a.name == b.name) {
        let Some(first) = of_one_name.first() else { continue };
        let _ = writeln!(text, "## `{}`\n", first.name);
        for form in of_one_name {
            let _ = writeln!(text, "`{}`  \n{}.\n", usage(form), capital(form.summary));
            if form.parameters.is_empty() {
                continue;
            }
            text.push_str("| parameter | |\n|---|---|\n");
            for parameter in form.parameters {
                let need = if parameter.required { " **needed**" } else { "" };
                let help = parameter.help.replace('|', "\\|");
                let _ = writeln!(text, "| `{}` | {help}{need} |", form.written(parameter));
            }
            text.push('\n');
        }
    }
    text
}

fn capital(summary: &str) -> String {
    let mut characters = summary.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
