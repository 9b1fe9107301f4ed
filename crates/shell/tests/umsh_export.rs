//! `export` prints a script that makes the same configuration on an empty data folder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod server;

use proptest::prelude::*;
use server::Rig;
use um::commands::{Parameter, cmdlets};

const LAB: &str = include_str!("../../../lab/exchange-um.ps1");

fn rebuilt(from: &Rig) -> Rig {
    let script = from.run("export");
    let other = Rig::new();
    other.shell.run_script(&script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    assert_eq!(other.run("export"), script);
    other
}

#[test]
fn the_labs_configuration_is_rebuilt() {
    let lab = Rig::new();
    lab.run(LAB);
    assert_eq!(rebuilt(&lab).stored(), lab.stored());
    let script = lab.run("Export-UMConfiguration");
    assert!(script.starts_with("# ") && script.contains("It holds secrets"), "{script}");
    assert!(!script.contains("730146"), "a PIN is never itself in it");
}

#[test]
fn what_was_locked_disabled_and_removed_is_rebuilt_as_it_was_left() {
    let lab = Rig::new();
    lab.run(LAB);
    lab.run(
        "Set-UMMailboxPIN 27001 -LockedOut $true
         New-UMCallAnsweringRule 'A rule of ’Zoë’' -Mailbox 27000 -Priority 3 -KeyMappings '1,1,Receptionist,,,,,45678,'",
    );
    lab.run(
        "Disable-UMMailbox 27000
         Disable-UMAutoAttendant 'MX-ONE Auto Attendant'
         Set-UMDialPlan Integration_MX-ONE -UMAutoAttendant 'MX-ONE Auto Attendant' -OutsideLineAccessCode 9
         Get-UMHuntGroup | Where-Object { $_.PilotIdentifier -eq '' } | Remove-UMHuntGroup
         Set-UMService -MaxCallsAllowed 7",
    );
    assert_eq!(rebuilt(&lab).stored(), lab.stored());
}

// ---- a random configuration ----

const WORDS: [&str; 24] = [
    "'7'",
    "'27000'",
    "'60'",
    "'Ä ''ö'' \"quoted\" ’typographic’ $x `n ; | , # -Pin'",
    "'a,b'",
    "'x','y z'",
    "@()",
    "$null",
    "'+464553xxxxx'",
    "'Sales,77899'",
    "'1,Sales,,Att2','2,Other,27001'",
    "'Mon.8:00-Mon.17:00','Tue.8:00-Tue.17:00'",
    "'Christmas,xmas.wav,2026-12-24'",
    "'World,00*,00*,all of it'",
    "'World'",
    "'welcome.wav'",
    "Unlimited",
    "'Att1'",
    "'Plan2'",
    "'sv-SE'",
    "'1,1,Receptionist,,,,,45678,'",
    "'1,4255550100,,'",
    "'anna@moon.galaxy'",
    "'127.0.0.9'",
];

/// What may be named: two of each kind.
fn name_of(noun: &str, second: bool) -> &'static str {
    match (noun, second) {
        ("UMDialPlan", false) => "Plan1",
        ("UMDialPlan", true) => "Plan2",
        ("UMMailboxPolicy", false) => "'Plan1 Default Policy'",
        ("UMMailboxPolicy", true) => "Policy2",
        ("UMIPGateway", false) => "Gate1",
        ("UMIPGateway", true) => "Gate2",
        ("UMHuntGroup", false) => "Group1",
        ("UMHuntGroup", true) => "Group2",
        ("UMAutoAttendant", false) => "Att1",
        ("UMAutoAttendant", true) => "Att2",
        ("DistributionGroup", false) => "Sales",
        ("DistributionGroup", true) => "Everybody",
        ("UMCallAnsweringRule", false) => "Rule1",
        ("UMCallAnsweringRule", true) => "'Rule ’2’'",
        ("Mailbox" | "UMMailbox" | "UMMailboxPIN", false) => "Anna",
        ("Mailbox" | "UMMailbox" | "UMMailboxPIN", true) => "'Zoë O''Neil'",
        _ => "Other",
    }
}

const START: &str = "
New-UMDialPlan Plan1 -NumberOfDigitsInExtension 5 -CountryOrRegionCode 46
New-UMDialPlan Plan2 -NumberOfDigitsInExtension 5 -CountryOrRegionCode 46 -URIType SipName -GenerateUMMailboxPolicy $false
New-UMMailboxPolicy Policy2 -UMDialPlan Plan2
New-UMIPGateway Gate1 -Address 127.0.0.1 -UMDialPlan Plan1
New-UMIPGateway Gate2 -Address gate2.moon.galaxy
New-UMHuntGroup Group1 -UMDialPlan Plan1 -UMIPGateway Gate1 -PilotIdentifier 43334
New-UMAutoAttendant Att1 -UMDialPlan Plan1 -PilotIdentifierList 43333
New-UMAutoAttendant Att2 -UMDialPlan Plan2
New-Mailbox Anna
New-Mailbox 'Zoë O''Neil' -LastName O`'Neil
Enable-UMMailbox Anna -UMMailboxPolicy 'Plan1 Default Policy' -Extensions 27000 -PIN 730146
New-DistributionGroup Sales -Members Anna
New-DistributionGroup Everybody -Members Sales,'Zoë O''Neil' -AcceptMessagesOnlyFromSendersOrMembers Sales
";

fn value(parameter: &Parameter, pick: usize) -> String {
    if let Some(noun) = parameter.names {
        return name_of(noun, pick % 2 == 1).into();
    }
    if !parameter.choices.is_empty() && !pick.is_multiple_of(5) {
        return parameter.choices[pick % parameter.choices.len()].into();
    }
    WORDS[pick % WORDS.len()].into()
}

/// One line of some changing cmdlet, with what it needs and one or two things more.
fn a_line(cmdlet: usize, picks: [usize; 4]) -> String {
    let changing: Vec<_> = cmdlets()
        .iter()
        .filter(|cmdlet| {
            let verb = cmdlet.name.split('-').next().unwrap();
            ["New", "Set", "Enable", "Disable", "Remove"].contains(&verb)
        })
        .collect();
    let cmdlet = changing[cmdlet % changing.len()];
    let noun = cmdlet.name.split('-').nth(1).unwrap();
    let mut line = cmdlet.name.to_owned();
    let [which, one, two, pick] = picks;
    for (index, parameter) in cmdlet.parameters.iter().enumerate() {
        let place = cmdlet.parameters.len();
        let chosen = parameter.required || index == one % place || index == two % place;
        // An identity that is not needed is the server's own.
        if !chosen || parameter.name == "PINHash" {
            continue;
        }
        let value = match parameter.name {
            "Identity" | "Name" => name_of(noun, which % 2 == 1).to_owned(),
            "Extensions" => ["27000", "27005,27006", "27010"][pick % 3].to_owned(),
            "PIN" | "Pin" => ["730146", "952741"][pick % 2].to_owned(),
            "NumberOfDigitsInExtension" => "5".to_owned(),
            "PilotIdentifier" | "PilotIdentifierList" => {
                ["43333", "43335", "'sip:43336@moon.galaxy'"][pick % 3].to_owned()
            }
            _ => value(parameter, pick.wrapping_add(index)),
        };
        line.push_str(&format!(" -{} {value}", parameter.name));
    }
    line
}

/// `PROPTEST_CASES` asks for more than the usual.
fn cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(24), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_random_configuration_is_exported_and_rebuilt(
        lines in proptest::collection::vec((any::<usize>(), any::<[usize; 4]>()), 40..160)
    ) {
        let rig = Rig::new();
        rig.run(START);
        let mut accepted = 0;
        for (cmdlet, picks) in lines {
            accepted += usize::from(rig.try_line(&a_line(cmdlet, picks)).is_ok());
        }
        prop_assert!(accepted > 0);
        prop_assert_eq!(rebuilt(&rig).stored(), rig.stored());
    }
}
