//! People as they are spoken of.

use super::caller::{Caller, Subscriber};
use crate::storage::{Greeting, StoreAnswer, StoreRequest};
use speech::Person;
use std::time::Duration;

/// How long the store may take to give a recorded name before text to speech says it.
const NAME_WITHIN: Duration = Duration::from_millis(1000);

/// A user as he is spoken of: with his recorded name, when the store has one and is quick.
pub(super) async fn spoken(caller: &Caller, subscriber: &Subscriber) -> Person {
    let mut person = Person::new(subscriber.name.clone(), subscriber.extension.clone());
    let request = StoreRequest::Greeting(subscriber.mailbox.clone());
    if let Ok(StoreAnswer::Greeting(Greeting { name, .. })) = caller.store_within(request, NAME_WITHIN).await {
        person.recorded = name;
    }
    person
}
