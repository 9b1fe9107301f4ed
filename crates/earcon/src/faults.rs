//! `--fault`: what the lab is given wrong.

use crate::failure::Failure;
use lab::Fault;

/// The faults by name; None: they were listed, which is all that was asked for.
pub fn chosen(names: &[String]) -> Result<Option<Vec<Fault>>, Failure> {
    if names.iter().any(|name| name == "list") {
        for fault in Fault::ALL {
            println!("{:<26} {}", fault.name(), fault.what());
        }
        return Ok(None);
    }
    names.iter().map(|name| name.parse()).collect::<Result<_, _>>().map(Some).map_err(Failure::from_error)
}
