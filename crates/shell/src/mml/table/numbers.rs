//! The number plan.

use super::Kind::{Number, Text, TextOrAll};
use super::{Form, Parameter, needed, p, unix};

const EXTERNAL_NUMBER: Parameter =
    needed(&["externalnumber"], "externalnumber", Text, "what the numbers begin with, an external destination's code");

const NUMBER_DATA: &[Parameter] = &[
    EXTERNAL_NUMBER,
    p(&["minlength"], "minlength", Number, "digits at least, 1 to 20, the code among them"),
    p(&["maxlength"], "maxlength", Number, "digits at most, 1 to 20"),
];

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
    unix(
        "number_data_initiate",
        None,
        "number_data",
        "initiate",
        "says how many digits external numbers have: others are vacant",
        NUMBER_DATA,
    ),
    unix("number_data_change", None, "number_data", "change", "changes how many digits they have", NUMBER_DATA),
    unix("number_data_end", None, "number_data", "end", "lets them have any number of digits", &[EXTERNAL_NUMBER]),
    unix(
        "number_data_print",
        None,
        "number_data",
        "print",
        "prints how many digits external numbers have",
        &[p(&["externalnumber"], "externalnumber", TextOrAll, "one beginning; else all")],
    ),
];
