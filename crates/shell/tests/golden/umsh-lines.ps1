Get-UMDialPlan
Get-UMIPGateway MX-ONE
Get-UMHuntGroup -UMDialPlan Integration_MX-ONE
Get-UMMailboxPolicy | Format-List Name, MinPINLength, PIN*
Get-UMAutoAttendant | Format-Table Name, UMDialPlan, PilotIdentifierList, Status
Get-Mailbox | ft Name, Phone, UMEnabled
Get-UMMailbox 27000
Get-UMMailbox | Where-Object { $_.Name -like 'B*' } | Select-Object Name, Extensions
Get-UMMailboxPIN 27000
Get-UMService
Get-UMCallRouterSettings
Get-UMActiveCalls
Get-UMCallDataRecord
New-UMCallAnsweringRule Urgent -Mailbox 27000 -Priority 2 -KeyMappings '1,1,Receptionist,,,,,45678,'
Get-UMCallAnsweringRule
Get-UMPrompt
Set-UMDialPlan Integration_MX-ONE -FaxEnabled $false -AudioCodec Wma
Set-UMDialPlan Integration_MX-ONE -MaxCallDuration 9
Set-UMDialPlan Integration_MX-ONE -MaxCall 20 -MaxRec 25
Set-UMDialPlan Integration_MX -MaxCallDuration 60
Remove-UMDialPlan Integration_MX-ONE
Remove-UMMailboxPolicy 'Integration_MX-ONE Default Policy' -Confirm:$false
New-UMHuntGroup Second -UMDialPlan Integration_MX-ONE -UMIPGateway MX-ONE -PilotIdentifier 43333
Set-UMMailbox 27000 -Extensions @{Add='27005'; Remove='27001'}
Set-UMMailbox 27000 -Extensions @{Put='27005'}
Set-UMMailboxPIN 27000 -Pin 123456
Set-UMMailboxPIN 27000 -Pni 730146
Get-UMMailbox | Where-Object LockedOut -eq $true | Set-UMMailboxPIN -LockedOut $false
Remove-UMIPGateway MX-ONE -WhatIf
Get-UMMailbox nobody -ErrorAction Continue
New-UMDialPlan -Name 'open
Get-UMMailbx
export
