//! Prompts are put together from fragments: where they meet there is no click.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use speech::{Options, Person, Phrase, Prompt, Speech};

/// A step between two samples that is heard as a click: 26 dB under full scale, which speech itself has all the time.
const CLICK: i32 = 1642;

#[test]
fn where_fragments_meet_nothing_clicks() {
    let speech = Speech::open(Options::shipped_only()).unwrap();
    let mut joints = 0;
    let mut worst = 0;
    for language in speech::Language::ALL {
        let speech = speech.in_language(language);
        for count in 0..60_u32 {
            let name = Person::new("Anna Svensson", "27000");
            let phrases: Vec<Phrase> = vec![
                Prompt::CountNew.with("count", count),
                Prompt::CountSaved.with("count", count),
                Prompt::Hello.with("name", name.clone()),
                Prompt::TransferringTo.with("name", name),
                Prompt::MainMenu.into(),
            ];
            let said = speech.say(&phrases);
            for pair in said.windows(2) {
                let (Some(last), Some(first)) = (pair[0].samples().last(), pair[1].samples().first()) else { continue };
                joints += 1;
                worst = worst.max((i32::from(*last) - i32::from(*first)).abs());
            }
        }
    }
    println!("{joints} joints, the largest step {worst}");
    assert!(joints > 500 && worst < CLICK, "{joints} joints, the largest step {worst}");
}
