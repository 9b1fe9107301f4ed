//! The UM server's shell: cmdlets as an administrator of Exchange writes them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod recording;

use recording::{Seen, only, recorder, refusal};
use shell::{Language, Net, Shell};
use um::commands::value::ListChange;
use um::commands::{Answer, Command, CommandError, MailboxView};

fn mailbox(name: &str, extension: &str) -> MailboxView {
    MailboxView {
        name: name.into(),
        mailbox: Some(extension.into()),
        display_name: name.into(),
        address: None,
        enabled: true,
        extensions: vec![extension.into()],
        policy: None,
        dial_plan: None,
        locked: false,
        settings: Default::default(),
    }
}

/// A shell whose server has two mailboxes and takes every command.
fn shell() -> (Shell, Seen<Command>) {
    answering(|command| match command {
        Command::GetMailbox { .. } => {
            Ok(Answer::Mailboxes(vec![mailbox("Anna Svensson", "27000"), mailbox("Björn Åkesson", "27001")]))
        }
        _ => Ok(Answer::Done(())),
    })
}

fn answering(answer: fn(&Command) -> Result<Answer, CommandError>) -> (Shell, Seen<Command>) {
    let (seen, record) = recorder(answer);
    let shell = Shell::um(move |command, reply| reply(record(command)));
    (shell, seen)
}

fn command(line: &str) -> Command {
    only(shell(), line)
}

fn refused(line: &str) -> String {
    refusal(shell(), line)
}

fn same(one: &Command, other: &Command) -> bool {
    one == other
}

#[test]
fn names_and_values_are_read_in_any_case_and_any_quotes() {
    let expected = command(
        "New-UMHuntGroup -Name Voice_Mail_43334 -UMDialPlan Integration_MX-ONE -UMIPGateway MX-ONE -PilotIdentifier 43334",
    );
    for line in [
        "new-umhuntgroup -name 'Voice_Mail_43334' -umdialplan \"Integration_MX-ONE\" -umipgateway MX-ONE -pilotidentifier 43334",
        "New-UMHuntGroup Voice_Mail_43334 -UMDialPlan:Integration_MX-ONE -UMIPGateway: MX-ONE -PilotIdentifier '43334'",
        "New-UMHuntGroup –Name “Voice_Mail_43334” –UMDialPlan Integration_MX-ONE –UMIPGateway ‘MX-ONE’ –PilotIdentifier 43334",
    ] {
        assert!(same(&command(line), &expected), "{line}");
    }
}

#[test]
fn a_backtick_continues_the_line_and_comments_are_passed_over() {
    let script = "# first\nNew-UMHuntGroup -Name A `\n  -UMDialPlan B `  \r\n  -UMIPGateway C # the gateway\n<# a block\n over lines #>\nGet-UMMailbox; Get-UMDialPlan\n";
    let (shell, seen) = shell();
    let transcript = shell.run_script(script).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 3);
    let lines: Vec<usize> = transcript.entries.iter().map(|(statement, _)| statement.line).collect();
    assert_eq!(lines, [2, 7, 7]);
}

#[test]
fn lists_are_read_with_commas_blanks_and_parentheses() {
    let extensions = |value: &str| {
        let line = format!("Enable-UMMailbox anna -UMMailboxPolicy P -Extensions {value} -PIN 730146");
        let Command::EnableMailbox { extensions, .. } = command(&line) else { panic!("{line}") };
        match extensions.unwrap() {
            ListChange::To(list) => list,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(extensions("27000"), ["27000"]);
    for value in ["27000,27005", "27000, 27005", "@('27000','27005')", "(27000,\"27005\")", "27000,\n  27005"] {
        assert_eq!(extensions(value), ["27000", "27005"], "{value}");
    }
}

#[test]
fn truth_is_written_as_powershell_does() {
    let expired = |value: &str| {
        let line = format!("Enable-UMMailbox anna -UMMailboxPolicy P -Extensions 27000 -PIN 730146 {value}");
        let Command::EnableMailbox { pin_expired, .. } = command(&line) else { panic!("{line}") };
        pin_expired
    };
    assert_eq!(expired("-PINExpired $false"), Some(false));
    assert_eq!(expired("-PINExpired:$TRUE"), Some(true));
    assert_eq!(expired("-PINExpired"), Some(true));
    assert_eq!(expired(""), None);
}

#[test]
fn quotes_in_quotes_are_doubled_or_escaped() {
    let name = |written: &str| {
        let Command::NewMailbox { name, .. } = command(&format!("New-Mailbox -Name {written}")) else {
            panic!("{written}")
        };
        name
    };
    for written in ["\"Zoë O'Neil\"", "'Zoë O''Neil'", "\"Zoë O`'Neil\""] {
        assert_eq!(name(written), "Zoë O'Neil");
    }
    assert_eq!(name("\"a \"\"b\"\" `$c\""), "a \"b\" $c");
}

#[test]
fn a_get_pipes_into_a_set_for_each_object() {
    let (shell, seen) = shell();
    shell.run_script("Get-UMMailbox | Set-UMMailboxPIN -PINExpired $true").unwrap();
    let seen = seen.lock().unwrap();
    let who: Vec<&str> = seen
        .iter()
        .filter_map(|command| match command {
            Command::SetPin { identity, pin_expired: Some(true), .. } => Some(identity.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(who, ["Anna Svensson", "Björn Åkesson"]);
}

#[test]
fn a_slip_in_the_last_cmdlet_of_a_pipe_changes_nothing() {
    let said = refused("Get-UMMailbox | Set-UMMailboxPIN -PINExpire 1 -Pim 3");
    assert!(said.contains("-Pim") && said.contains("column 47"), "{said}");
}

#[test]
fn a_get_pipes_into_a_list_or_a_table_of_some_properties() {
    let said = |line: &str| shell().0.run_script(line).unwrap().to_string();
    assert_eq!(
        said("Get-UMMailbox | Format-List Name,Ext*"),
        "Name       : Anna Svensson\nExtensions : {27000}\n\nName       : Björn Åkesson\nExtensions : {27001}\n"
    );
    assert_eq!(said("Get-UMMailbox | fl name"), "Name : Anna Svensson\n\nName : Björn Åkesson\n");
    assert_eq!(
        said("Get-UMMailbox |\n  Format-Table Name, Extensions"),
        "Name          Extensions\n----          ----------\nAnna Svensson {27000}\nBjörn Åkesson {27001}\n"
    );
    assert_eq!(said("Get-UMMailbox | Out-Null"), "");
    let error = shell().0.run_script("Get-UMMailbox | fl Nmae").unwrap_err().to_string();
    assert!(error.contains("Nmae is not a property here; there are Name, DisplayName"), "{error}");
}

#[test]
fn what_if_checks_and_changes_nothing() {
    let (shell, seen) = shell();
    let said = shell.run_script("Remove-UMIPGateway MX-ONE -WhatIf").unwrap().to_string();
    assert_eq!(said, "What if: Remove-UMIPGateway would be carried out on \"MX-ONE\".\n");
    shell.run_script("Get-UMMailbox | Set-UMMailboxPIN -Pin 730146 -WhatIf").unwrap();
    assert!(seen.lock().unwrap().iter().all(|command| !command.changes()));
    assert!(shell.run_script("Remove-UMIPGateway -WhatIf").is_err());
    shell.run_script("Remove-UMIPGateway MX-ONE -WhatIf:$false -Confirm:$false").unwrap();
    assert!(seen.lock().unwrap().iter().any(Command::changes));
}

#[test]
fn exchanges_common_parameters_are_passed_over_with_a_word_about_it() {
    let (shell, _) = shell();
    let said = shell.run_script("Get-UMMailbox -Debug -Verbose -ErrorAction Stop").unwrap();
    assert_eq!(said.entries[0].1.notes.len(), 2);
}

#[test]
fn the_guides_net_is_read_as_the_labs_and_said_so() {
    let (shell, seen) = shell();
    let said = shell
        .with_net(Net::new("127.0.222").unwrap())
        .run_script("New-UMIPGateway MX-ONE -Address 192.168.222.10")
        .unwrap();
    assert_eq!(said.entries[0].1.notes, ["192.168.222.10 is read as 127.0.222.10 here"]);
    let Command::NewGateway { changes, .. } = &seen.lock().unwrap()[0] else { panic!("not a gateway") };
    assert_eq!(changes.address.as_deref(), Some("127.0.222.10"));
}

#[test]
fn a_wrong_line_names_the_parameter_and_the_place_and_changes_nothing() {
    let said = refused("New-UMDialPlan -Name A -NumberOfDigitsInExtension five -CountryOrRegionCode 46");
    assert!(said.contains("-NumberOfDigitsInExtension: write a whole number"), "{said}");
    assert!(said.contains("column 51:") && said.ends_with("^^^^"), "{said}");
    let said = refused("Get-UMMailbox\nNew-UMDialPlan -Name A `\n  -Colour red".split_once('\n').unwrap().1);
    assert!(said.contains("line 2, column 3:\n    -Colour red\n    ^^^^^^^"), "{said}");
    assert!(refused("New-UMDialPlan -Name A").contains("is missing"));
    assert!(refused("New-UMDailPlan -Name A").contains("New-UMDailPlan is not a command here"));
    assert!(refused("Get-UMMailbox -Identity $user").contains("variables are not known here"));
    assert!(refused("Get-UMMailbox \"$user\"").contains("variables are not known here"));
    assert!(refused("New-Mailbox A -Phone (Get-Date)").len() > 10);
    assert!(refused("New-Mailbox A -Phone (ConvertTo-SecureString x)").contains("expressions in parentheses"));
    assert!(refused("Get-UMMailbox | % { $_ }").contains("variables are not known"));
    assert!(refused("Get-UMMailbox | % { Get-UMDialPlan }").contains("% is not a command here"));
    assert!(refused("Get-UMMailbox |").contains("pipe"));
    assert!(refused("Get-UMMailbox 'anna").contains("quote is not closed"));
    assert!(refused("Get-UMMailbox a,").contains("behind the comma"));
}

#[test]
fn what_the_server_refuses_is_pointed_at_in_the_line() {
    let (shell, _) = answering(|_| {
        Err(CommandError::NotFound { parameter: "Identity".into(), kind: "mailbox".into(), identity: "nobody".into() })
    });
    let said = shell.run_script("Set-UMMailboxPIN nobody -Pin 730146").unwrap_err().to_string();
    assert!(said.contains("column 18:") && said.ends_with("^^^^^^"), "{said}");
    assert!(!said.contains("730146"), "a PIN is not shown again: {said}");
}

#[test]
fn a_history_keeps_lines_without_their_pins() {
    let kept = |line: &str| Language::Umsh.masked(line);
    assert_eq!(kept("Set-UMMailboxPIN anna -Pin 730146"), "Set-UMMailboxPIN anna -Pin ****");
    assert_eq!(kept("Get-UMMailbox | Set-UMMailboxPIN -Pin:'730146'"), "Get-UMMailbox | Set-UMMailboxPIN -Pin:****");
    assert_eq!(kept("Set-UMMailboxPIN anna -Pin '730146"), "Set-UMMailboxPIN");
    assert_eq!(kept("Get-UMMailbox"), "Get-UMMailbox");
}

#[test]
fn what_was_typed_in_part_goes_on() {
    for text in [
        "Get-UMMailbox |",
        "New-Mailbox 'Anna",
        "New-Mailbox `",
        "Enable-UMMailbox a -Extensions 1,",
        "x @('a',",
        "<# so",
    ] {
        assert!(Language::Umsh.breaks_off(text), "{text}");
    }
    for text in ["Get-UMMailbox", "New-Mailbox \"Zoë O'Neil\"", "Get-UMMailbox # '"] {
        assert!(!Language::Umsh.breaks_off(text), "{text}");
    }
}

#[test]
fn tab_completes_cmdlets_and_parameters() {
    let texts = |line: &str| -> Vec<String> {
        let (start, found) = Language::Umsh.complete(line, line.len());
        found.into_iter().map(|(text, _)| format!("{}{text}", &line[..start])).collect()
    };
    assert_eq!(texts("get-umh"), ["Get-UMHuntGroup "]);
    assert_eq!(texts("Set-UMMailboxPIN anna -PINE"), ["Set-UMMailboxPIN anna -PINExpired "]);
    assert_eq!(texts("Get-UMMailbox | Format-T"), ["Get-UMMailbox | Format-Table "]);
    assert!(texts("Get-UMMailbox | Set-UMMailboxP").contains(&"Get-UMMailbox | Set-UMMailboxPIN ".to_string()));
}

#[test]
fn help_tells_cmdlets_parameters_and_defaults() {
    let said = |line: &str| shell().0.run_script(line).unwrap().to_string();
    assert!(said("help").contains("New-UMAutoAttendant"));
    assert!(said("Get-Help New-UMDialPlan").contains("-RecordingIdleTimeout"));
    assert!(said("Get-Command").contains("Enable-UMMailbox"));
}
