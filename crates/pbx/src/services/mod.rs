//! Service codes: what a phone dials to have something done, where others dial to call somebody.
//!
//! `table` says which digits mean what; `procedure` is what they do to an extension; `rights` who may.

mod procedure;
mod rights;
mod table;

pub(crate) use procedure::{Effect, LampBy, carry_out};
pub(crate) use rights::{ExtensionProfile, is_public};
pub(crate) use table::{Code, Market, Meaning, Service, ServiceCodes};
