//! The number plan.

use super::Kind::{Text, TextOrAll};
use super::{Form, needed, p, unix};

pub(super) const FORMS: &[Form] = &[
    unix(
        "number_initiate",
        None,
        "number",
        "initiate",
        "puts a number into the number plan",
        &[
            needed(
                &["numbertype"],
                "numbertype",
                Text,
                "EX extension series, ED external destination, SOS emergency number",
            ),
            needed(&["number"], "number", Text, "a number, or for EX a series 27000..27099"),
        ],
    ),
    unix(
        "number_end",
        None,
        "number",
        "end",
        "takes a number out of the number plan",
        &[
            needed(&["number"], "number", Text, "the number, or the first of a series"),
            p(&["numbertype"], "", Text, "not needed"),
        ],
    ),
    unix(
        "number_print",
        None,
        "number",
        "print",
        "prints the number plan",
        &[p(&["number"], "number", TextOrAll, "one number; else all")],
    ),
];
