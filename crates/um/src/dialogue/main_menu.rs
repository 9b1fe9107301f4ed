//! The main menu of voice access (fact sheet 4.2, as far as it is there): how many messages there are, and the way to
//! them. Somebody who rings in wants to hear them, so they start by themselves; `*` comes back here from anywhere.
//!
//! | key | |
//! |---|---|
//! | 1 | voice mail |
//! | 0, * | repeat |

use super::FIRST_KEY;
use super::caller::{Caller, Subscriber};
use super::voice_mail::{Left, voice_mail};
use crate::storage::{StoreAnswer, StoreRequest};
use mailbox::Message;
use speech::{Phrase, Prompt};

pub(super) async fn main_menu(caller: Caller, subscriber: Subscriber, most_failures: u32) {
    let Some(messages) = messages(&caller, &subscriber).await else { return };
    let new = messages.iter().filter(|message| !message.read).count();
    let saved = messages.len() - new;
    let mut opening: Vec<Phrase> =
        vec![Prompt::CountNew.with("count", count(new)), Prompt::CountSaved.with("count", count(saved))];
    let mut failures = 0;
    if !messages.is_empty() {
        // 1 is "voice mail" here: pressed early it means what happens anyway.
        let played = caller.play(std::mem::take(&mut opening)).await;
        if played.reason == media::PlayEnd::Key
            && let Some(key) = caller.key(FIRST_KEY).await
            && key == '*'
        {
            failures = 0;
        } else if let Left::HungUp = voice_mail(&caller, &subscriber, messages, most_failures).await {
            return;
        }
    }
    while failures < most_failures {
        opening.push(Prompt::MainMenu.into());
        caller.play(std::mem::take(&mut opening)).await;
        match caller.key(FIRST_KEY).await {
            Some('1') => {
                failures = 0;
                let Some(messages) = self::messages(&caller, &subscriber).await else { return };
                if messages.is_empty() {
                    opening.push(Prompt::NoMessages.into());
                } else if let Left::HungUp = voice_mail(&caller, &subscriber, messages, most_failures).await {
                    return;
                }
            }
            Some('0' | '*') => failures = 0,
            Some(_) => {
                failures += 1;
                caller.forget_keys();
                opening.push(Prompt::InvalidKey.into());
            }
            None => {
                failures += 1;
                opening.push(Prompt::StillThere.into());
            }
        }
    }
    caller.announce(vec![Prompt::ThankYouGoodbye.into()]).await;
}

/// The messages, or None after an apology: the store cannot be reached.
async fn messages(caller: &Caller, subscriber: &Subscriber) -> Option<Vec<Message>> {
    match caller.store(StoreRequest::List(subscriber.mailbox.clone())).await {
        Ok(StoreAnswer::Messages(messages)) => Some(messages),
        _ => {
            caller.announce(vec![Prompt::MailboxUnreachable.into(), Prompt::Goodbye.into()]).await;
            None
        }
    }
}

fn count(messages: usize) -> u32 {
    u32::try_from(messages).unwrap_or(u32::MAX)
}
