//! A fax machine has called (fact sheet 3.8): it is handed to the fax partner, which takes the fax and mails it.

use super::caller::Caller;

/// Nothing is said: a machine listens. What came of it the call knows.
pub(crate) async fn fax(caller: Caller, partner: String) {
    caller.hand_over(partner).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialogue::TransferEnd;
    use crate::dialogue::script::Script;

    #[test]
    fn it_is_handed_over_without_a_word_and_the_call_ends_whatever_comes_of_it() {
        for end in [TransferEnd::Done, TransferEnd::Busy, TransferEnd::Failed] {
            let mut call = Script::start(|_| {}, |caller| fax(caller, "sip:fax.moon.galaxy".into()));
            assert_eq!(call.said(), "");
            assert_eq!(call.transferring.as_ref().map(|(_, to)| to.as_str()), Some("sip:fax.moon.galaxy"));
            call.transferred(end);
            assert!(call.over, "{end:?}");
        }
    }
}
