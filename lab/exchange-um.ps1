# The UM server of the lab: what the guide's chapter 4.2.2 sets up in dialogues, as cmdlets, and the lab's mailboxes.
# 192.168.222.x is read as the lab's own net.

# UM dial plan
New-UMDialPlan -Name 'Integration_MX-ONE' -NumberOfDigitsInExtension 5 -URIType TelExtn -VoIPSecurity Unsecured `
    -DefaultLanguage en-US -CountryOrRegionCode 46

# UM IP gateway
New-UMIPGateway -Name 'MX-ONE' -Address 192.168.222.10 -UMDialPlan 'Integration_MX-ONE'

# UM hunt group
New-UMHuntGroup -Name 'Voice_Mail_43334' -UMDialPlan 'Integration_MX-ONE' -UMIPGateway 'MX-ONE' -PilotIdentifier 43334

# UM mailbox policies: the default policy is used, as the guide allows

# UM auto attendant
New-UMAutoAttendant -Name 'MX-ONE Auto Attendant' -UMDialPlan 'Integration_MX-ONE' -PilotIdentifierList 43333 `
    -SpeechEnabled $false -Status Enabled

# The users (not in the guide: it takes them as given)
New-Mailbox -Name 'Anna Svensson' -Alias anna.svensson -FirstName Anna -LastName Svensson `
    -PrimarySmtpAddress anna.svensson@moon.galaxy -Phone 27000
New-Mailbox -Name 'Björn Åkesson' -Alias bjorn.akesson -FirstName Björn -LastName Åkesson `
    -PrimarySmtpAddress bjorn.akesson@moon.galaxy -Phone 27001
New-Mailbox -Name "Zoë O'Neil" -Alias zoe.oneil -FirstName Zoë -LastName "O'Neil" `
    -PrimarySmtpAddress zoe.oneil@moon.galaxy -Phone 27010

# Enable the Unified Messaging: 27000 and 27001; 27010 stays without, for the guide's test 1.
# These PINs are good on loopback only; nothing outside the lab has a PIN that is known.
Enable-UMMailbox -Identity anna.svensson -UMMailboxPolicy 'Integration_MX-ONE Default Policy' `
    -Extensions 27000 -PIN 730146 -PINExpired $false
Enable-UMMailbox -Identity bjorn.akesson -UMMailboxPolicy 'Integration_MX-ONE Default Policy' `
    -Extensions 27001 -PIN 730258 -PINExpired $false
